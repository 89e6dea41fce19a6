/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CONTRACT_H
#define JF_CONTRACT_H

#include <jitframe/export.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/* The exception contract: a throw is sound when these rules hold. Number, short name, sentence. docs/contract.md has
 * them in full. */
#define JF_RULE_LIST(X)                                                                                         \
	X(1, "frame record", "at every call site the frame record is at the convention's offsets")              \
	X(2, "live frame pointer", "from prologue to epilogue the frame pointer register is the frame's")       \
	X(3, "complete save set", "a boundary saves every callee-saved register of the ABI")                    \
	X(4, "adoption", "each save slot has the same address in callback and boundary")                        \
	X(5, "symmetric restore", "the callback restores what the boundary saved and returns to its caller")    \
	X(6, "sealed save area", "no body writes a save slot")                                                  \
	X(7, "alignment", "SP is ABI-aligned at every call, in the callback too")                               \
	X(8, "bounds", "nothing is read or written below SP and its red zone")                                  \
	X(9, "state slots", "the tail-call count is read at the offsets at which it was stored")                \
	X(10, "true rows", "at every instruction the rows give the true CFA, return address and frame pointer") \
	X(11, "callback's own stack", "the callback's BPF frame pointer addresses its own BPF stack")           \
	X(12, "independent sizes", "boundary and callback may differ in BPF stack, private stack and arena")    \
	X(13, "arguments", "the callback gets cookie, boundary SP and boundary FP as its first arguments")      \
	X(14, "result", "the callback's R0 arrives in the return register of the boundary's caller")            \
	X(15, "state registers", "arena base, private stack and counters are set up anew in the callback")      \
	X(16, "tail-call entry", "a tail-call entry skips exactly what must not run twice")                     \
	X(17, "return address", "a return address is looked up by the byte before it")                          \
	X(18, "private stubs", "a stub with a convention of its own keeps every BPF register")                  \
	X(19, "cleanup table", "records are whole, sorted and disjoint, and no pad lies in a range")            \
	X(20, "cleanup state", "a pad finds R6-R10, FP, arena and count as they were at the call")              \
	X(21, "cleanup stack", "a resumed pad has the body's SP; a called pad never goes to its frame by SP")   \
	X(22, "cleanup rows", "from the unwinder to the end of a pad the rows are true")                        \
	X(23, "cleanup order", "pads run once per throw, innermost frame first, and the callback after them")   \
	X(24, "cleanup end", "every path of a pad ends in the resume")                                          \
	X(25, "one in flight", "a throw that comes to a frame whose pad is running ends as uncaught")           \
	X(26, "cleanup look-up", "a pad is chosen by the byte before the return address")                       \
	X(27, "marked pads", "with landing pads on, pads begin with the marker if the jump there asks for one") \
	X(28, "changed return", "an overwritten return address leads to where the same row is in force")        \
	X(29, "tail-call charge", "a tail call is counted when it is taken, and only then")

/* A rule of JF_RULE_LIST. */
struct jf_rule {
	uint8_t number; /* as in "R3" */
	const char *name;
	const char *text;
};

/* The rule of a number. returns: NULL for a number that is no rule's. owns: static. threads: any, async-signal-safe. */
JF_API const struct jf_rule *jf_rule_at(unsigned int number);

JF_END_DECLS

#endif

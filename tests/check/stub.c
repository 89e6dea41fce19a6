/* SPDX-License-Identifier: BSD-2-Clause */
#include "subject.h"

#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "edit.h"

/*
 * A private stub as timed may_goto calls it, for any architecture: AX comes in as an argument and goes out as the
 * result of a C function; every other BPF register stays, those that C does not keep by way of the stack.
 *
 *     SP -= size; [SP ...] = R0-R5, the private stack's R10, the return address
 *     first argument = AX; call; AX = result
 *     ... = [SP ...]; SP += size; return
 */
#define KEPT_MAX 8

static unsigned int kept_registers(const struct jf_convention *conv, uint8_t kept[KEPT_MAX])
{
	const struct jf_backend *backend = conv->backend;
	unsigned int count = 0;

	for (unsigned int bpf = JF_BPF_R0; bpf <= JF_BPF_R5; bpf++)
		kept[count++] = conv->bpf_reg[bpf];
	if (conv->caps & JF_CAP_PRIVATE_STACK && !(backend->regs[conv->bpf_fp_private].flags & JF_REG_CALLEE_SAVED))
		kept[count++] = conv->bpf_fp_private;
	if (!backend->ra_pushed)
		kept[count++] = backend->ra;
	return count;
}

void private_stub_make(struct subject *s, const struct jf_convention *conv)
{
	const struct jf_backend *backend = conv->backend;
	uint8_t kept[KEPT_MAX], sp = backend->sp, ax = conv->bpf_reg[JF_BPF_AX];
	unsigned int count = kept_registers(conv, kept);
	/* What the call goes through: a scratch register that is no BPF register. */
	uint8_t target = (uint8_t)(ax + 1);
	int32_t size = (int32_t)(8 * count + 15) & -16;
	struct assembler as = {s->code, s->code + sizeof(s->code)};
	bool done;

	memset(s, 0, sizeof(*s));
	size += backend->cfa_sp_off_at_entry % 16;
	done = asm_add(&as, backend, sp, sp, -size);
	for (unsigned int i = 0; i < count; i++)
		done &= asm_store(&as, backend, kept[i], sp, 8 * (int32_t)i);
	done &= asm_add(&as, backend, backend->args[0], ax, 0) && asm_call(&as, backend, target) &&
		asm_add(&as, backend, ax, backend->result, 0);
	for (unsigned int i = 0; i < count; i++)
		done &= asm_load(&as, backend, kept[i], sp, 8 * (int32_t)i);
	done &= asm_add(&as, backend, sp, sp, size) && asm_return(&as, backend);
	CHECK(done, "%s: no stub", conv->name);
	s->size = (uint32_t)(as.at - s->code);
	s->conv = conv;
	s->is_stub = s->is_private_stub = true;
	s->frame.conv = conv;
	s->address = SUBJECT_ADDRESS;
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		s->marks[i] = JF_MARK_UNSET;
	snprintf(s->name, sizeof(s->name), "%s/%s private stub", backend->name, conv->name);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "conventions.h"
#include "toy_words.h"

#include <string.h>

/*
 * Functions that call nothing, in conventions that keep the return address in memory for the sake of calls: copies of
 * built-in conventions whose slot of the return address has the condition "when it calls".
 */

#define AREAS_MAX 8
#define RULES_MAX 40

struct leaf_convention {
	struct jf_convention conv;
	struct jf_area areas[AREAS_MAX];
	struct jf_slot_rule rules[RULES_MAX];
};

/* returns: false where calls push the return address, or one push makes more than its slot. */
static bool make_convention(struct leaf_convention *leaf, const struct jf_convention *conv)
{
	const struct jf_build_ops *build = conv->backend->build;

	if (conv->backend->ra_pushed || !build || build->unit)
		return false;
	leaf->conv = *conv;
	memcpy(leaf->areas, conv->areas, conv->area_count * sizeof(leaf->areas[0]));
	memcpy(leaf->rules, conv->areas[0].rules, conv->areas[0].rule_count * sizeof(leaf->rules[0]));
	for (unsigned int i = 0; i < conv->areas[0].rule_count; i++)
		if (leaf->rules[i].kind == JF_SLOT_RETURN)
			leaf->rules[i].when = JF_WHEN_CALLS | JF_WHEN_EXCEPTION;
	leaf->areas[0].rules = leaf->rules;
	leaf->conv.areas = leaf->areas;
	return true;
}

ALL_CONVENTIONS(checker_leaf, what_calls_nothing_needs_no_return_address_in_memory)
{
	static struct leaf_convention leaf;
	static struct emitted e;
	unsigned int frames = 0;

	if (!make_convention(&leaf, convention_at(*index)))
		cr_skip("calls and pushes decide where the return address is");
	cr_assert_eq(jf_convention_check(&leaf.conv, NULL, 0), jf_convention_check(convention_at(*index), NULL, 0));
	for (unsigned int bits = 0; bits < 32; bits++) {
		struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
		struct jf_finding findings[8];
		struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = 8};
		struct jf_inferred inferred = {.size = sizeof(inferred)};
		char text[1024];

		spec.role = bits & 1 ? JF_ROLE_SUBPROGRAM : JF_ROLE_MAIN;
		spec.tail_calls = bits & 2;
		spec.bpf_regs_used = bits & 4 ? 0x3c0 : 0;
		spec.bpf_stack_bytes = bits & 8 ? 64 : 0;
		spec.leaf = bits & 16;
		if (!emit_frame(&e, &leaf.conv, &spec))
			continue;
		frames++;
		cr_assert_eq(jf_frame_slot(&e.frame, JF_SLOT_RETURN, JF_REG_NONE) < 0, spec.leaf);
		CHECK_STATUS(jf_check(&e.input, &report, NULL), JF_OK, "frame %u", bits);
		CHECK(is_clean(&report, 0, text, sizeof(text)), "frame %u:%s", bits, text);
		CHECK_STATUS(jf_check_infer(&e.input, JF_INFER_ANY_ROLE, &inferred), JF_OK, "frame %u", bits);
		CHECK(inferred.spec.leaf == spec.leaf && inferred.matched == inferred.insns, "frame %u: %sa leaf", bits,
		      inferred.spec.leaf ? "" : "not ");
	}
	CHECK(frames >= 16, "%u frames", frames);
}

/*
 * The toy's frame without a return address, around one instruction. rule: the one that it breaks, or 0.
 *
 *     fp at CFA - 8, the count at CFA - 16, FP = CFA - 24
 */
static void check_body(uint16_t body, unsigned int rule)
{
	const uint16_t words[] = {
		LDI(TOY_T0, 0),        ADI(TOY_SP, -16), ST(TOY_FP, TOY_SP, 1),    ST(TOY_T0, TOY_SP, 0),
		COPY(TOY_FP, TOY_SP),  ADI(TOY_FP, -8),  LDI(TOY_A1, 1),           body,
		LD(TOY_FP, TOY_SP, 1), ADI(TOY_SP, 16),  TOY_OP_JA << 12 | 2 << 8,
	};
	static struct leaf_convention leaf;
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_finding findings[8];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = 8};
	uint8_t bytes[sizeof(words)];
	bool found = false;
	char text[1024];

	leaf.conv = toy_adopt;
	memcpy(leaf.areas, toy_adopt.areas, toy_adopt.area_count * sizeof(leaf.areas[0]));
	memcpy(leaf.rules, toy_adopt.areas[0].rules, toy_adopt.areas[0].rule_count * sizeof(leaf.rules[0]));
	leaf.rules[2].when = JF_WHEN_CALLS | JF_WHEN_EXCEPTION;
	leaf.areas[0].rules = leaf.rules;
	leaf.conv.areas = leaf.areas;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		bytes[2 * i] = (uint8_t)(words[i] >> 8);
		bytes[2 * i + 1] = (uint8_t)words[i];
	}
	input.conv = &leaf.conv;
	input.bytes = bytes;
	input.byte_count = sizeof(bytes);
	input.spec.leaf = true;
	input.marks[JF_MARK_BODY] = 12;
	input.marks[JF_MARK_EPILOGUE] = 16;
	CHECK_STATUS(jf_check(&input, &report, NULL), JF_OK, "body %04x", body);
	for (size_t i = 0; i < report.finding_count && i < 8; i++)
		found |= findings[i].rule == rule && findings[i].verdict == JF_VERDICT_BROKEN;
	CHECK(is_clean(&report, 0, text, sizeof(text)) == !rule, "body %04x:%s", body, text);
	CHECK(found == (rule != 0), "body %04x:%s", body, text);
}

Test(checker_leaf, what_loses_the_return_address_is_told)
{
	check_body(NOP, 0);
	check_body(CALL(TOY_A1), 1);
	check_body(LDI(TOY_RA, 0), 5);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "check.h"
#include "conventions.h"
#include "toy_copy.h"

#include <jitframe/check.h>

/* Contradictions in conventions alone: none in those that are built in but the known ones, each in a spoilt toy. */

/* ---- what is known --------------------------------------------------------------------------------------- */

ALL_CONVENTIONS(checker_convention, built_in)
{
	const struct jf_convention *conv = convention_at(*index);
	struct jf_finding findings[8];
	int count = jf_convention_check(conv, findings, 8);
	uint32_t rules = 0;

	CHECK(count >= 0 && count <= 8, "%d", count);
	for (int i = 0; i < count; i++) {
		CHECK(findings[i].verdict == JF_VERDICT_BROKEN && findings[i].code_off == JF_CHECK_NO_OFF, "%d", i);
		CHECK(findings[i].text[0], "%d", i);
		rules |= 1u << findings[i].rule;
	}
	CHECK(rules == arch_convention(conv).broken, "%s/%s: rules %x: %s", conv->backend->name, conv->name, rules,
	      count ? findings[0].text : "");
	CHECK(!!(rules & 1u << 3) == (jf_convention_unsaved(conv, NULL, 0) > 0), "%s", conv->name);
	CHECK(jf_convention_check(conv, NULL, 0) == count, "%s: counted without room", conv->name);
}

/* ---- spoilt toys -------------------------------------------------------------------------------------------- */

static void check_found(const struct copy *copy, unsigned int rule, const char *words)
{
	struct jf_finding findings[16];
	int count = jf_convention_check(&copy->conv, findings, 16);
	bool found = false;

	for (int i = 0; i < count && i < 16; i++)
		found |= findings[i].rule == rule && strstr(findings[i].text, words);
	CHECK(found, "'%s' (R%u) is not among %d, first: %s", words, rule, count, count > 0 ? findings[0].text : "");
	if (rule == 3 || rule == 7)
		CHECK_STATUS(jf_backend_check(&copy->backend, NULL), JF_OK, "%s", words);
	else
		CHECK_STATUS(jf_backend_check(&copy->backend, NULL), JF_E_BAD_DESC, "%s", words);
}

Test(checker_convention, not_a_convention)
{
	struct copy copy;

	cr_assert_eq(jf_convention_check(NULL, NULL, 0), JF_E_INVAL);
	copy_init(&copy, &toy_adopt);
	copy.conv.size--;
	cr_assert_eq(jf_convention_check(&copy.conv, NULL, 0), JF_E_INVAL);
	copy_init(&copy, &toy_adopt);
	copy.conv.areas = NULL;
	cr_assert_eq(jf_convention_check(&copy.conv, NULL, 0), JF_E_INVAL);
}

Test(checker_convention, registers)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.conv.bpf_reg[JF_BPF_R3] = copy.conv.bpf_reg[JF_BPF_R2];
	check_found(&copy, 0, "R2 and R3 are both in");
	copy_init(&copy, &toy_adopt);
	copy.conv.bpf_reg[JF_BPF_R6] = TOY_T0;
	check_found(&copy, 0, "R6 is in t0, which calls do not keep");
	copy_init(&copy, &toy_adopt);
	copy.conv.bpf_reg[JF_BPF_R0] = TOY_SP;
	check_found(&copy, 0, "another purpose");
	copy_init(&copy, &toy_adopt);
	copy.conv.count_reg = JF_REG_NONE;
	check_found(&copy, 9, "count_reg is no register of the table");
}

/* The scheme of the tail-call count. The toy's own passes count upwards. */
Test(checker_convention, tail_call_count)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.conv.count_form = JF_COUNT_IN_MEMORY;
	check_found(&copy, 9, "in a register as well");
	copy_init(&copy, &toy_adopt);
	copy.conv.count_form = JF_COUNT__COUNT;
	check_found(&copy, 9, "count_form is no value");
	copy_init(&copy, &toy_adopt);
	copy.conv.count_form = JF_COUNT_BY_VALUE;
	check_found(&copy, 9, "hands it back");
	copy_init(&copy, &toy_adopt);
	copy.rules[1].kind = JF_SLOT_TCC_PTR;
	copy.conv.count_form = JF_COUNT_BY_VALUE;
	check_found(&copy, 9, "its address has a slot");
	copy_init(&copy, &toy_adopt);
	copy.conv.count_form = JF_COUNT_BY_VALUE;
	copy.conv.count_returned = true;
	copy.rules[1].when = JF_WHEN_TAIL_CALLS;
	check_found(&copy, 9, "not every main program keeps it");
	copy_init(&copy, &toy_adopt);
	copy.conv.count_start = 32;
	check_found(&copy, 9, "starts with 32");
	copy_init(&copy, &toy_adopt);
	copy.conv.count_bytes = 0;
	check_found(&copy, 9, "has 0 bytes");
}

Test(checker_convention, capabilities)
{
	struct copy copy;

	copy_init(&copy, &toy_plain);
	copy.conv.caps |= JF_CAP_EXCEPTIONS;
	check_found(&copy, 4, "land");
	copy_init(&copy, &toy_plain);
	copy.conv.caps |= JF_CAP_TAIL_CALLS;
	check_found(&copy, 9, "without a slot");
	copy_init(&copy, &toy_plain);
	copy.conv.caps |= JF_CAP_OUT_ARGS;
	check_found(&copy, 0, "outgoing arguments without a slot");
	copy_init(&copy, &toy_plain);
	copy.conv.caps |= JF_CAP_PRIVATE_STACK_CALLBACK;
	check_found(&copy, 0, "programs have none");
	copy_init(&copy, &toy_plain);
	copy.conv.area_count = 1;
	check_found(&copy, 0, "BPF stack without a slot");
	copy_init(&copy, &toy_plain);
	copy.conv.result_bits = 16;
	check_found(&copy, 14, "32 or 64");
}

Test(checker_convention, save_slots)
{
	struct copy copy;

	/* toy_plain's first area: fp, ra, s0 .. s3, s4 */
	copy_init(&copy, &toy_plain);
	copy.rules[2].reg = TOY_S1;
	check_found(&copy, 5, "changes s0 and has no slot");
	check_found(&copy, 5, "saves s1 twice");
	copy_init(&copy, &toy_plain);
	copy.rules[6].when = JF_WHEN_BOUNDARY;
	check_found(&copy, 5, "changes s4");
	copy_init(&copy, &toy_plain);
	copy.conv.frame_align = 16;
	check_found(&copy, 0, "R7");
	copy_init(&copy, &toy_plain);
	copy.backend.stack_align = 16;
	check_found(&copy, 7, "there are no stubs");
	copy_init(&copy, &toy_restore);
	copy.backend.stack_align = 16;
	check_found(&copy, 7, "through stubs");
	copy_init(&copy, &toy_plain);
	copy.conv.red_zone_bytes = 8;
	check_found(&copy, 8, "signals leave 0 alone");
}

/* The save area of toy_adopt and toy_restore is their second area. */
static void spoil_saves(struct copy *copy, const struct jf_convention *conv, unsigned int area, unsigned int rule,
			uint16_t when)
{
	static struct jf_slot_rule rules[16];

	copy_init(copy, conv);
	memcpy(rules, copy->areas[area].rules, copy->areas[area].rule_count * sizeof(rules[0]));
	rules[rule].when = when;
	copy->areas[area].rules = rules;
}

Test(checker_convention, boundary_and_callback)
{
	struct copy copy;

	spoil_saves(&copy, &toy_adopt, 1, 1, JF_WHEN_USED | JF_WHEN_BOUNDARY);
	check_found(&copy, 4, "where a callback does not look");
	spoil_saves(&copy, &toy_adopt, 1, 1, JF_WHEN_USED | JF_WHEN_CALLBACK);
	check_found(&copy, 4, "(R4)");
	/* Counted with the saves, outgoing arguments shift what a callback takes off. */
	spoil_saves(&copy, &toy_restore, 2, 1, JF_WHEN_BOUNDARY | JF_WHEN_USED);
	check_found(&copy, 3, "cw");
	copy_init(&copy, &toy_restore);
	copy.areas[2] = toy_restore.areas[3];
	copy.areas[3] = toy_restore.areas[2];
	check_found(&copy, 12, "depends on the boundary's options");
	/* The BPF stack above the saves: a callback's own would overwrite them. */
	copy_init(&copy, &toy_adopt);
	copy.areas[1] = toy_adopt.areas[2];
	copy.areas[2] = toy_adopt.areas[1];
	check_found(&copy, 4, "where a callback does not look");
	check_found(&copy, 11, "above the save");
}

/* ---- ORC formats --------------------------------------------------------------------------------------------- */

static void check_orc(const struct jf_orc_format *format, const char *words)
{
	struct jf_orc_format own = *format;
	struct jf_error error = {0};
	struct copy copy;

	copy_init(&copy, &toy_plain);
	own.backend = &copy.backend;
	copy.backend.orc = &own;
	CHECK_STATUS(jf_backend_check(&copy.backend, &error), words ? JF_E_BAD_DESC : JF_OK, "%s: %s",
		     words ? words : "sound", error.text);
	CHECK(!words || strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
}

Test(checker_convention, orc_formats)
{
	struct jf_orc_format sound = {.size = sizeof(sound),
				      .name = "toy",
				      .entry_bytes = 8,
				      .sp_off_at = 0,
				      .fp_off_at = 2,
				      .ra_off_at = 4,
				      .flags_at = 6,
				      .sp_reg_bit = 0,
				      .fp_reg_bit = 4,
				      .ra_reg_bit = 8,
				      .type_bit = 12,
				      .signal_bit = 15};
	struct jf_orc_format f;

	check_orc(&sound, NULL);
	f = sound;
	f.entry_bytes = 9;
	check_orc(&f, "1 to 8 bytes");
	f = sound;
	f.flags_at = 7;
	check_orc(&f, "lies outside");
	f = sound;
	f.ra_off_at = JF_ORC_NO_FIELD;
	check_orc(&f, NULL);
	f.sp_off_at = JF_ORC_NO_FIELD;
	check_orc(&f, "lies outside");
	f = sound;
	f.type_bit = 14;
	check_orc(&f, "16 bits");
	f = sound;
	f.codes[3] = (struct jf_orc_code){.cfa = JF_ORC_SUM, .reg = TOY_REG__COUNT};
	check_orc(&f, "names no register");
	f = sound;
	f.codes[3].saved = JF_ORC_AT_CFA + 1;
	check_orc(&f, "no rule");
	f = sound;
	f.saved_reg_count = 1;
	f.saved_regs[0].reg = JF_REG_NONE;
	check_orc(&f, "is none");
	f = sound;
	f.header_count = 1;
	check_orc(&f, "not there");
	f = sound;
	f.name = NULL;
	check_orc(&f, "nameless");
}

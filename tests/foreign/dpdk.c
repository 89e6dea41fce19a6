/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The machine code of another BPF JIT, DPDK's (librte_bpf): its rows derived by the checker, then registered, walked,
 * thrown through and checked. TAP.
 *
 * The JIT of DPDK 22.11 moves SP down by 8 bytes for each register that it saves, whatever SP was before: with an even
 * number of them, helpers are called with SP 8 bytes off, and C code that stores 16 bytes at once faults. The checker
 * tells which program does so, and no helper calls anything there.
 */

#include "tap.h"

#include <rte_bpf.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static volatile uint64_t unknown;

/* ---- helpers of its programs ------------------------------------------------------------------------------ */

static enum { LOOK, WALK, THROW } what;
static char trace[64];
static uint64_t frame_address;

static __attribute__((noinline)) void walk_it(void)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);

	trace[0] = '\0';
	for (unsigned int i = 0; status == JF_OK && i < 4; i++) {
		const struct jf_walk_frame *frame = jf_walk_at(&walk);

		if (frame->range)
			strcat(strcat(trace, frame->name), " ");
		status = jf_walk_step(&walk);
	}
	jf_walk_end(&walk);
}

static uint64_t helper(uint64_t x, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)b, (void)c, (void)d, (void)e;
	/* 16 bytes from SP at the call, where the ABI aligns to 16. */
	frame_address = (uintptr_t)__builtin_frame_address(0);
	if (what == THROW)
		return (uint64_t)jf_throw(x) + unknown;
	if (what == WALK)
		walk_it();
	return 2 * x;
}

/* ---- its programs ------------------------------------------------------------------------------------------ */

/* f(x) = helper(x) + x, with one register saved, or two. */
static const struct ebpf_insn one[] = {
	{.code = 0xbf, .dst_reg = 6, .src_reg = 1}, /* r6 = r1 */
	{.code = 0x85},                             /* call helper */
	{.code = 0x0f, .dst_reg = 0, .src_reg = 6}, /* r0 += r6 */
	{.code = 0x95},                             /* exit */
};
static const struct ebpf_insn two[] = {
	{.code = 0xbf, .dst_reg = 6, .src_reg = 1}, /* r6 = r1 */
	{.code = 0xbf, .dst_reg = 7, .src_reg = 1}, /* r7 = r1 */
	{.code = 0x85},                             /* call helper */
	{.code = 0x0f, .dst_reg = 0, .src_reg = 6}, /* r0 += r6 */
	{.code = 0x95},                             /* exit */
};

struct program {
	struct rte_bpf *bpf;
	struct rte_bpf_jit jit;
	struct jf_row rows[64];
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	struct jf_range range;
};
static struct program odd, even; /* numbers of saved registers */

static bool load(struct program *p, const struct ebpf_insn *insns, uint32_t count)
{
	static const struct rte_bpf_arg word = {.type = RTE_BPF_ARG_RAW, .size = 8};
	const struct rte_bpf_xsym symbol = {.name = "helper",
					    .type = RTE_BPF_XTYPE_FUNC,
					    .func = {.val = helper, .nb_args = 1, .args = {word}, .ret = word}};
	const struct rte_bpf_prm prm = {.ins = insns, .nb_ins = count, .xsym = &symbol, .nb_xsym = 1, .prog_arg = word};

	p->bpf = rte_bpf_load(&prm);
	return p->bpf && !rte_bpf_get_jit(p->bpf, &p->jit) && p->jit.func;
}

static struct jf_rows_input rows_input(const struct program *p)
{
	struct jf_rows_input input = JF_ROWS_INPUT_INIT;

	input.backend = jf_backend_host();
	memcpy(&input.bytes, &p->jit.func, sizeof(input.bytes));
	input.byte_count = p->jit.sz;
	input.address = (uintptr_t)input.bytes;
	return input;
}

static bool add(struct program *p, const char *name)
{
	const struct jf_rows_input input = rows_input(p);
	size_t row_count = COUNT(p->rows), slot_count = COUNT(p->slots);
	struct jf_error error;

	p->range = (struct jf_range){
		.size = sizeof(p->range),
		.kind = JF_RANGE_SUBPROGRAM,
		.start = input.address,
		.end = input.address + input.byte_count,
		.name = name,
		.backend = input.backend,
		.rows = p->rows,
		.slots = p->slots,
	};
	if (jf_rows_make(&input, p->rows, &row_count, p->slots, &slot_count, &error) != JF_OK) {
		printf("# %s: %s\n", error.where, error.text);
		return false;
	}
	p->range.row_count = row_count;
	p->range.slot_count = (uint8_t)slot_count;
	return jf_code_map_add(&p->range, &error) == JF_OK;
}

/* ---- tests ------------------------------------------------------------------------------------------------- */

static bool is_registered_with_derived_rows(void)
{
	return load(&odd, one, COUNT(one)) && load(&even, two, COUNT(two)) && add(&odd, "odd") && add(&even, "even");
}

static bool has_true_rows(void)
{
	for (const struct program *p = &odd; p; p = p == &odd ? &even : NULL) {
		struct jf_rows_input input = rows_input(p);
		struct jf_rows_report report = JF_ROWS_REPORT_INIT;

		input.rows = p->range.rows;
		input.row_count = p->range.row_count;
		input.slots = p->range.slots;
		input.slot_count = p->range.slot_count;
		if (jf_rows_verify(&input, &report, NULL) != JF_OK || report.verdict != JF_ROWS_TRUE)
			return false;
	}
	return true;
}

static uint64_t run(void *p)
{
	return ((struct program *)p)->jit.func((void *)21) + unknown;
}

static bool is_walked(void)
{
	what = WALK;
	return run(&odd) == 63 && !strcmp(trace, "odd ");
}

static bool is_thrown_through(void)
{
	uint64_t value = 0;

	what = THROW;
	return jf_try(run, &odd, &value) == JF_CAUGHT && value == 21;
}

/* What the checker says of R7, alignment of SP at calls. */
static enum jf_verdict alignment(const struct program *p)
{
	struct jf_rows_input code = rows_input(p);
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_finding findings[16];
	struct jf_check_report report = {
		.size = sizeof(report), .findings = findings, .finding_capacity = COUNT(findings)};
	char target[64];

	snprintf(target, sizeof(target), "%s/user", code.backend->name);
	if (jf_convention_find(target, &input.conv, NULL) != JF_OK)
		return JF_VERDICT__COUNT;
	input.bytes = code.bytes;
	input.byte_count = code.byte_count;
	input.address = code.address;
	input.spec.role = JF_ROLE_SUBPROGRAM;
	if (jf_check(&input, &report, NULL) != JF_OK)
		return JF_VERDICT__COUNT;
	for (size_t i = 0; i < report.finding_count && i < COUNT(findings); i++)
		if (findings[i].rule == 7)
			printf("# %s: %s\n", p->range.name, findings[i].text);
	return (enum jf_verdict)report.verdicts[7];
}

/* The checker finds by the code what the program does when it runs. */
static bool is_aligned_as_the_checker_says(void)
{
	what = LOOK;
	for (struct program *p = &odd; p; p = p == &odd ? &even : NULL) {
		enum jf_verdict verdict = alignment(p);
		bool is_aligned;

		if (run(p) != 63)
			return false;
		is_aligned = frame_address % jf_backend_host()->stack_align == 0;
		printf("# %s: SP at the call is %saligned\n", p->range.name, is_aligned ? "" : "not ");
		if (verdict != (is_aligned ? JF_VERDICT_HOLDS : JF_VERDICT_BROKEN))
			return false;
	}
	return true;
}

static const struct tap_test tests[] = {
	TEST(is_registered_with_derived_rows), TEST(has_true_rows), TEST(is_walked), TEST(is_thrown_through),
	TEST(is_aligned_as_the_checker_says),
};

int main(void)
{
	if (jf_backend_host() && (jf_thread_init() != JF_OK || jf_cfi_load_objects(NULL) != JF_OK))
		return 1;
	return tap_run(tests, COUNT(tests));
}

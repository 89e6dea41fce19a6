/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "conventions.h"
#include "specs.h"
#include "toy.h"

#include <stdlib.h>
#include <string.h>

/* What jf_check() is given: arguments that are refused, rows that lie, stubs, and bytes that are no frame at all. */

static struct jf_frame_spec boundary_spec(void)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	spec.bpf_stack_bytes = 32;
	return spec;
}

/* ---- arguments -------------------------------------------------------------------------------------------- */

static void check_refused(const struct jf_check_input *input, enum jf_status status, const char *where)
{
	struct jf_check_report report = {.size = sizeof(report), .finding_count = 77};
	size_t row_count = 0, slot_count = 0;
	struct jf_error error = {0};

	CHECK_STATUS(jf_check(input, &report, &error), status, "%s: %s", where, error.text);
	CHECK(!strcmp(error.where, where), "'%s', not '%s': %s", error.where, where, error.text);
	CHECK(report.finding_count == 77, "%s: the report has been written to", where);
	CHECK_STATUS(jf_check(input, &report, NULL), status, "%s, without an error", where);
	CHECK_STATUS(jf_check_rows(input, NULL, &row_count, NULL, &slot_count, NULL), status, "%s, rows", where);
}

Test(checker_input, arguments_that_are_refused)
{
	static struct emitted e;
	struct jf_frame_spec spec = boundary_spec(), callback = spec;
	struct {
		struct jf_check_input input;
		uint32_t more;
	} newer;
	struct jf_check_report report = {.size = sizeof(report)};
	struct jf_backend blind = toy_backend;
	struct jf_convention conv = toy_adopt;
	struct jf_row rows[2] = {{.code_off = 4}, {.code_off = 2}};

	cr_assert(emit_frame(&e, &toy_adopt, &spec));
	cr_assert_eq(jf_check(NULL, &report, NULL), JF_E_INVAL);
	cr_assert_eq(jf_check(&e.input, NULL, NULL), JF_E_INVAL);
	cr_assert_eq(jf_check(&e.input, &report, NULL), JF_OK);
#define REFUSED(change, status, where)                 \
	do {                                           \
		struct jf_check_input input = e.input; \
                                                       \
		change;                                \
		check_refused(&input, status, where);  \
	} while (0)
	REFUSED(input.kind = JF_CHECK__COUNT, JF_E_INVAL, "kind");
	REFUSED(input.conv = NULL, JF_E_INVAL, "conv");
	REFUSED(input.bytes = NULL, JF_E_INVAL, "bytes");
	REFUSED(input.byte_count = 0, JF_E_INVAL, "bytes");
	REFUSED(input.byte_count = (size_t)JF_CHECK_BYTES_MAX + 1, JF_E_INVAL, "bytes");
	REFUSED(input.slots = NULL, JF_E_INVAL, "rows");
	REFUSED(input.slot_count = 33, JF_E_INVAL, "rows");
	REFUSED((input.rows = rows, input.row_count = 2), JF_E_INVAL, "rows");
	REFUSED(input.target_count = 1, JF_E_INVAL, "targets");
	REFUSED((input.from_body = NULL, input.from_body_count = 1), JF_E_INVAL, "from_body");
	REFUSED(input.size = 8, JF_E_INVAL, "size");
	REFUSED(input.spec.bpf_stack_bytes = 100000, JF_E_BAD_SPEC, "bpf_stack_bytes");
	REFUSED((input.conv = &toy_plain, input.row_count = 0), JF_E_UNSUPPORTED, "role");
	callback.role = JF_ROLE_CALLBACK;
	REFUSED((input.spec = callback, input.boundary = &callback), JF_E_INVAL, "boundary");
	blind.decode = NULL;
	conv.backend = &blind;
	REFUSED(input.conv = &conv, JF_E_UNSUPPORTED, "conv");
	memset(&newer, 0, sizeof(newer));
	newer.input = e.input;
	newer.input.size = sizeof(newer);
	newer.more = 1;
	check_refused(&newer.input, JF_E_INVAL, "size");
	newer.more = 0;
	cr_assert_eq(jf_check(&newer.input, &report, NULL), JF_OK);
}

Test(checker_input, reports_of_any_capacity)
{
	static const uint8_t nothing[2];
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_check_report none = {.size = sizeof(none)}, one = none;
	struct jf_finding finding[2] = {{.rule = 99}, {.rule = 99}};

	input.conv = &toy_adopt;
	input.bytes = nothing;
	input.byte_count = 2;
	one.findings = finding;
	one.finding_capacity = 1;
	cr_assert_eq(jf_check(&input, &none, NULL), JF_OK);
	cr_assert_eq(jf_check(&input, &one, NULL), JF_OK);
	cr_assert_eq(none.finding_count, one.finding_count);
	cr_assert(!jf_check_passed(&none) && none.verdicts[0] == JF_VERDICT_BROKEN);
	cr_assert(finding[0].rule == 16 && finding[1].rule == 99); /* no tail-call entry, in no place: the first */
	cr_assert_str_eq(jf_verdict_name(JF_VERDICT_BROKEN), "broken");
	cr_assert_str_eq(jf_verdict_name(JF_VERDICT__COUNT), "?");
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

static void check_lie(const struct emitted *e, unsigned int rule, const char *what)
{
	struct jf_check_report report = {.size = sizeof(report)};

	CHECK_STATUS(jf_check(&e->input, &report, NULL), JF_OK, "%s", what);
	CHECK(report.verdicts[rule] == JF_VERDICT_BROKEN, "%s: R%u %s", what, rule,
	      jf_verdict_name((enum jf_verdict)report.verdicts[rule]));
}

/* Every field of every row, and every row left out. */
static void lie(const struct jf_convention *conv, const struct jf_frame_spec *spec, unsigned int *lies)
{
	static struct emitted e;

	if (!emit_frame(&e, conv, spec))
		return;
	for (size_t i = 0; i < e.code.row_count; i++) {
		const struct jf_row row = e.rows[i];
		char what[64];

		snprintf(what, sizeof(what), "%s/%s role %u, row %zu", conv->backend->name, conv->name, spec->role, i);
		e.rows[i].cfa_off += 8;
		check_lie(&e, 10, what);
		e.rows[i] = row;
		e.rows[i].cfa_reg = conv->backend->result;
		check_lie(&e, 10, what);
		e.rows[i] = row;
		e.rows[i].flags ^= JF_ROW_UNKNOWN;
		check_lie(&e, 10, what);
		e.rows[i] = row;
		e.rows[i].cfa_reg = JF_REG_NONE;
		check_lie(&e, 10, what);
		e.rows[i] = row;
		*lies += 4;
	}
	for (unsigned int i = 0; i < e.frame.slot_count; i++) {
		if (!(jf_frame_saved_mask(&e.frame) & UINT32_C(1) << i))
			continue;
		e.frame.slots[i].off_from_cfa -= 800;
		check_lie(&e, 10, "a slot that is elsewhere");
		e.frame.slots[i].off_from_cfa += 800;
		++*lies;
	}
	e.input.rows++;
	e.input.row_count--;
	if (e.input.row_count)
		check_lie(&e, 10, "without the first row");
}

ALL_CONVENTIONS(checker_input, rows_that_lie)
{
	const struct jf_convention *conv = convention_at(*index);
	unsigned int lies = 0;

	needs_decoder(conv);
	for (uint32_t role = 0; role < JF_ROLE__COUNT; role++) {
		struct jf_frame_spec spec = boundary_spec();

		spec.role = role;
		lie(conv, &spec, &lies);
		spec.tail_calls = true;
		lie(conv, &spec, &lies);
	}
	cr_assert_gt(lies, 100);
}

/* R17: the row for the last byte of a call is the one that counts while it lasts. */
Test(checker_input, rows_of_return_addresses)
{
	static const uint8_t call[] = {0xe8, 0x00, 0x10, 0x00, 0x00};
	const struct jf_convention *conv;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	static struct emitted e;
	struct jf_row rows[FRAME_ROWS];
	struct jf_check_report report = {.size = sizeof(report)};
	uint32_t body;
	size_t k;

	if (jf_convention_find("x86_64/user", &conv, NULL) != JF_OK)
		cr_skip_test();
	spec.bpf_stack_bytes = 32;
	cr_assert(emit_frame(&e, conv, &spec));
	body = e.code.marks[JF_MARK_BODY];
	/* push, mov, sub ... | call | ...: the epilogue moves up, and its rows with it */
	memmove(e.bytes + body + sizeof(call), e.bytes + body, e.code.size - body);
	memcpy(e.bytes + body, call, sizeof(call));
	e.input.byte_count += sizeof(call);
	e.input.marks[JF_MARK_EPILOGUE] += sizeof(call);
	for (size_t i = 0; i < e.code.row_count; i++)
		if (e.rows[i].code_off >= body)
			e.rows[i].code_off += sizeof(call);
	cr_assert_eq(jf_check(&e.input, &report, NULL), JF_OK);
	cr_assert_eq(report.verdicts[17], JF_VERDICT_HOLDS);
	cr_assert_eq(report.verdicts[10], JF_VERDICT_HOLDS);
	/* A row for what comes behind the call that begins one byte too early. */
	for (k = 0; k < e.code.row_count && e.rows[k].code_off < body; k++)
		rows[k] = e.rows[k];
	rows[k] = rows[k - 1];
	rows[k].code_off = body + sizeof(call) - 1;
	rows[k].cfa_off += 8;
	rows[k + 1] = rows[k - 1];
	rows[k + 1].code_off = body + sizeof(call);
	memcpy(rows + k + 2, e.rows + k, (e.code.row_count - k) * sizeof(rows[0]));
	e.input.rows = rows;
	e.input.row_count = e.code.row_count + 2;
	cr_assert_eq(jf_check(&e.input, &report, NULL), JF_OK);
	cr_assert_eq(report.verdicts[17], JF_VERDICT_BROKEN);
	cr_assert_eq(report.verdicts[10], JF_VERDICT_HOLDS);
}

/* R16: where the record stays for the next program, it has to be whole. */
Test(checker_input, records_that_a_tail_call_hands_on)
{
	static const uint8_t stores[][4] = {
		{0x48, 0x89, 0x7d, 0x08}, /* mov %rdi,8(%rbp): the return address */
		{0x48, 0x89, 0x7d, 0x00}, /* the caller's rbp */
	};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	const struct jf_convention *conv;
	static struct emitted e;
	struct jf_check_report report = {.size = sizeof(report)};

	if (jf_convention_find("x86_64/user", &conv, NULL) != JF_OK)
		cr_skip_test();
	spec.tail_calls = true;
	for (size_t i = 0; i < 2; i++) {
		uint32_t body;

		cr_assert(emit_frame(&e, conv, &spec));
		cr_assert_eq(jf_check(&e.input, &report, NULL), JF_OK);
		cr_assert_eq(report.verdicts[16], JF_VERDICT_HOLDS);
		body = e.code.marks[JF_MARK_BODY];
		memmove(e.bytes + body + 4, e.bytes + body, e.code.size - body);
		memcpy(e.bytes + body, stores[i], 4);
		e.input.byte_count += 4;
		e.input.marks[JF_MARK_EPILOGUE] = JF_MARK_UNSET;
		e.input.row_count = 0;
		/* The body runs on into the tail exit: the epilogue between them is not there. */
		memmove(e.bytes + body + 4, e.bytes + e.tail_exit_off + 4, e.code.size - e.tail_exit_off);
		e.input.byte_count = body + 4 + e.code.size - e.tail_exit_off;
		e.input.from_body_count = 0;
		cr_assert_eq(jf_check(&e.input, &report, NULL), JF_OK);
		CHECK(report.tail_exit_count == 1 && report.verdicts[16] == JF_VERDICT_BROKEN, "store %zu: R16 %s", i,
		      jf_verdict_name((enum jf_verdict)report.verdicts[16]));
	}
}

/* ---- stubs --------------------------------------------------------------------------------------------- */

#define HW(reg)           ((unsigned int)toy_hw(reg))
#define WORD(op, a, b, c) ((op) << 12 | HW(a) << 8 | HW(b) << 4 | (c))

static enum jf_verdict check_words(const uint16_t *words, size_t count, uint32_t kind, unsigned int rule,
				   const struct jf_check_target *target)
{
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_check_report report = {.size = sizeof(report)};
	uint8_t bytes[64];

	for (size_t i = 0; i < count; i++) {
		bytes[2 * i] = (uint8_t)(words[i] >> 8);
		bytes[2 * i + 1] = (uint8_t)words[i];
	}
	input.kind = kind;
	input.conv = &toy_adopt;
	input.bytes = bytes;
	input.byte_count = 2 * count;
	input.targets = target;
	input.target_count = target ? 1 : 0;
	CHECK_STATUS(jf_check(&input, &report, NULL), JF_OK, "stub");
	return (enum jf_verdict)report.verdicts[rule];
}

Test(checker_input, private_stubs_keep_bpf_registers)
{
	const uint16_t back = (uint16_t)(TOY_OP_JA << 12 | 2 << 8);
	const uint16_t good[] = {(uint16_t)WORD(TOY_OP_LD, TOY_T0, TOY_T0, 0), back};

	cr_assert_eq(check_words(good, 2, JF_CHECK_PRIVATE_STUB, 18, NULL), JF_VERDICT_HOLDS);
	for (unsigned int reg = TOY_V0; reg <= TOY_S4; reg++) {
		const uint16_t bad[] = {(uint16_t)WORD(TOY_OP_LD, reg, TOY_T0, 0), back};

		CHECK(check_words(bad, 2, JF_CHECK_PRIVATE_STUB, 18, NULL) == JF_VERDICT_BROKEN, "register %u", reg);
	}
}

/* The stub that runs here, under every convention that calls it. */
Test(checker_input, the_private_stub_of_this_host)
{
	const struct jf_backend *host = jf_backend_host();

	if (!host || !host->decode)
		cr_skip_test();
	for (unsigned int i = 0; i < host->convention_count; i++) {
		struct jf_check_input input = JF_CHECK_INPUT_INIT;
		struct jf_check_report report = {.size = sizeof(report)};

		input.kind = JF_CHECK_PRIVATE_STUB;
		input.conv = host->conventions[i];
		input.bytes = host->native->may_goto_start;
		input.byte_count = (size_t)((const uint8_t *)host->native->may_goto_end - input.bytes);
		input.address = (uintptr_t)input.bytes;
		CHECK_STATUS(jf_check(&input, &report, NULL), JF_OK, "%s", input.conv->name);
		CHECK(jf_check_passed(&report) && report.call_count == 1 && report.exit_count == 1, "%s",
		      input.conv->name);
		CHECK(report.verdicts[5] == JF_VERDICT_HOLDS && report.verdicts[7] == JF_VERDICT_HOLDS &&
			      report.verdicts[18] == JF_VERDICT_HOLDS,
		      "%s", input.conv->name);
	}
}

/* A program calls one with AX = t0 in its BPF stack, or not. */
Test(checker_input, programs_call_private_stubs_with_their_own_stack)
{
	const struct jf_check_target stub = {0x20, 0x21, JF_TARGET_OWN_STUB};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	const int8_t offs[] = {-8, -16, 8, 100};

	spec.bpf_stack_bytes = 32;
	for (size_t i = 0; i < sizeof(offs); i++) {
		static struct emitted e;
		struct jf_check_report report = {.size = sizeof(report)};
		const uint16_t body[] = {
			(uint16_t)WORD(TOY_OP_EXT, TOY_T0, TOY_S4, TOY_EXT_COPY),
			(uint16_t)(TOY_OP_ADI << 12 | HW(TOY_T0) << 8 | (uint8_t)offs[i]),
			(uint16_t)(TOY_OP_LDI << 12 | HW(TOY_A1) << 8 | 0x20),
			(uint16_t)(TOY_OP_JA << 12 | 1 << 8 | HW(TOY_A1) << 4),
		};
		uint32_t at;

		cr_assert(emit_frame(&e, &toy_adopt, &spec));
		at = e.code.marks[JF_MARK_BODY];
		memmove(e.bytes + at + sizeof(body), e.bytes + at, e.code.size - at);
		for (size_t k = 0; k < sizeof(body) / 2; k++) {
			e.bytes[at + 2 * k] = (uint8_t)(body[k] >> 8);
			e.bytes[at + 2 * k + 1] = (uint8_t)body[k];
		}
		e.input.byte_count += sizeof(body);
		e.input.marks[JF_MARK_EPILOGUE] = JF_MARK_UNSET;
		e.input.row_count = 0;
		e.input.targets = &stub;
		e.input.target_count = 1;
		CHECK_STATUS(jf_check(&e.input, &report, NULL), JF_OK, "%d", offs[i]);
		CHECK(report.verdicts[18] == (offs[i] < 0 ? JF_VERDICT_HOLDS : JF_VERDICT_BROKEN), "R10%+d: %s",
		      offs[i], jf_verdict_name((enum jf_verdict)report.verdicts[18]));
	}
}

/* ---- the toy's own frames ------------------------------------------------------------------------------ */

static void check_toy(const struct jf_convention *conv, const struct jf_frame_spec *spec, void *arg)
{
	static struct emitted e;
	struct jf_finding findings[8];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = 8};
	char name[256], text[2048];

	/* Its private stacks have no base: they are one for all threads. */
	if (spec->bpf_regs_used % 0x3c0 || spec->private_stack || !emit_frame(&e, conv, spec))
		return;
	spec_text(conv, spec, name, sizeof(name));
	CHECK_STATUS(jf_check(&e.input, &report, NULL), JF_OK, "%s", name);
	CHECK(is_clean(&report, known_findings(conv, spec), text, sizeof(text)), "%s:%s", name, text);
	++*(unsigned int *)arg;
}

Test(checker_input, good_frames_of_the_toy)
{
	unsigned int frames = 0;

	each_spec(&toy_adopt, check_toy, &frames);
	each_spec(&toy_restore, check_toy, &frames);
	each_spec(&toy_plain, check_toy, &frames);
	cr_assert_gt(frames, 500);
}

/* ---- bytes that nobody meant --------------------------------------------------------------------------- */

static void check_bytes(const struct jf_convention *conv, const uint8_t *bytes, size_t count, uint32_t role)
{
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_check_report report = {.size = sizeof(report)};
	struct jf_row rows[64];
	struct jf_slot slots[32];
	size_t row_count = 64, slot_count = 32;
	enum jf_status status;
	uint8_t *own = malloc(count); /* nothing may be read behind it: a sanitizer would tell */

	cr_assert_not_null(own);
	memcpy(own, bytes, count);
	input.conv = conv;
	input.bytes = own;
	input.byte_count = count;
	input.spec.role = role;
	input.spec.bpf_stack_bytes = 32;
	status = jf_check(&input, &report, NULL);
	CHECK(status == JF_OK || status == JF_E_UNSUPPORTED, "%s", jf_status_name(status));
	/* A return alone is a function in order. */
	CHECK(status != JF_OK || !jf_check_passed(&report) || report.exit_count, "%zu bytes of nothing pass", count);
	status = jf_check_rows(&input, rows, &row_count, slots, &slot_count, NULL);
	CHECK(status == JF_OK || status == JF_E_NOSPACE || status == JF_E_UNSUPPORTED, "%s", jf_status_name(status));
	free(own);
}

ALL_CONVENTIONS(checker_input, hostile_bytes)
{
	const struct jf_convention *conv = convention_at(*index);
	struct rng rng = {42 + *index};
	static uint8_t bytes[4096];
	static struct emitted e;
	struct jf_frame_spec spec = boundary_spec();

	needs_decoder(conv);
	for (unsigned int round = 0; round < 300; round++) {
		size_t count = 1 + rng_below(&rng, round % 10 ? 200 : sizeof(bytes));

		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)rng_next(&rng);
		check_bytes(conv, bytes, count, round % JF_ROLE__COUNT);
	}
	/* A real frame, cut short and with bytes changed. */
	cr_assert(emit_frame(&e, conv, &spec));
	for (size_t count = 1; count + 4 < e.code.size; count++)
		check_bytes(conv, e.bytes, count, JF_ROLE_BOUNDARY);
	for (unsigned int round = 0; round < 500; round++) {
		struct jf_check_report report = {.size = sizeof(report)};

		cr_assert(emit_frame(&e, conv, &spec));
		for (unsigned int k = 0; k < 3; k++)
			e.bytes[rng_below(&rng, (uint32_t)e.code.size)] = (uint8_t)rng_next(&rng);
		CHECK_STATUS(jf_check(&e.input, &report, NULL), JF_OK, "round %u", round);
	}
}

/* Every instruction jumps back to the first, or to the next but one: many ways, and an end all the same. */
Test(checker_input, loops_end)
{
	static uint8_t bytes[8192];
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_check_report report = {.size = sizeof(report)};

	for (size_t i = 0; i + 4 < sizeof(bytes); i += 4) {
		bytes[i] = (uint8_t)(TOY_OP_JS << 4 | 1);
		bytes[i + 1] = (uint8_t)(i % 8 ? -100 : 60);
		bytes[i + 2] = (uint8_t)(TOY_OP_ADI << 4 | (i / 4 % 16));
		bytes[i + 3] = 8;
	}
	input.conv = &toy_adopt;
	input.bytes = bytes;
	input.byte_count = sizeof(bytes);
	cr_assert_eq(jf_check(&input, &report, NULL), JF_OK);
	cr_assert_eq(report.verdicts[0] > JF_VERDICT_HOLDS, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Functions with bodies of their own, of every convention on every host: what the rows say is held to the code by the
 * checker, and what a counting pass says to what comes out. TAP.
 */

#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ADDRESS      UINT64_C(0x10000000)
#define CALLEE       (ADDRESS + 0x10000)

struct function {
	struct jf_frame frame;
	struct jf_code code;
	uint8_t bytes[4096];
	struct jf_row rows[256];
};

static struct function f;

/* ---- a body --------------------------------------------------------------------------------------------- */

/* R6 = R1; SP down; call; if R6 == 0 return; go back while R6 > 100; raw bytes; if R6 != 1 tail jump; return */
static void emit(struct jf_code *code, bool calls)
{
	const struct jf_backend *backend = f.frame.conv->backend;
	const struct jf_body_ops *ops = &backend->body;
	struct jf_pending pending[2];
	uint32_t off[2], last_off[1];
	struct jf_places places = {off, COUNT(off), pending, COUNT(pending), 0};
	struct jf_places last = {last_off, 1, pending, COUNT(pending), 0};
	struct jf_body body;
	uint8_t raw[JF_INSN_BYTES_MAX];
	struct jf_code scratch;

	jf_function_begin(code, &f.frame, NULL);
	jf_body_init(&body, code, &places);
	jf_body_op(&body, ops->alu, &(struct jf_op){.code = JF_ALU_MOV, .is64 = true, .dst = 6, .src = 1});
	backend->build->add(code, backend->sp, backend->sp, -64);
	jf_body_place(&body, 0);
	if (calls)
		jf_body_call(&body, &(struct jf_call){.kind = JF_CALL_C, .sixth = JF_REG_NONE, .address = CALLEE});
	jf_body_op(&body, ops->jump,
		   &(struct jf_op){.code = JF_COND_NE, .is64 = true, .is_imm = true, .dst = 6, .target = 1});
	jf_function_restore_sp(code);
	jf_function_return(code);
	jf_body_place(&body, 1);
	jf_body_op(
		&body, ops->jump,
		&(struct jf_op){.code = JF_COND_GT, .is64 = true, .is_imm = true, .imm = 100, .dst = 6, .target = 0});
	jf_body_end(&body);
	/* Bytes of an encoder of one's own. */
	jf_code_init(&scratch, raw, sizeof(raw), 0, NULL, 0);
	body.code = &scratch;
	jf_body_op(&body, ops->alu, &(struct jf_op){.code = JF_ALU_ADD, .is64 = true, .dst = 6, .src = 6});
	if (code->bytes && code->capacity - code->size >= scratch.size)
		memcpy(code->bytes + code->size, raw, scratch.size);
	jf_code_wrote(code, scratch.size);
	if (f.frame.spec.role != JF_ROLE_CALLBACK) {
		jf_body_init(&body, code, &last);
		jf_body_op(&body, ops->jump,
			   &(struct jf_op){.code = JF_COND_EQ, .is64 = true, .is_imm = true, .imm = 1, .dst = 6});
		jf_function_restore_sp(code);
		jf_function_tail_jump(code, CALLEE);
		jf_body_place(&body, 0);
		jf_body_end(&body);
	}
	jf_function_restore_sp(code);
	jf_function_return(code);
}

/* ---- what is looked at ---------------------------------------------------------------------------------- */

static bool rows_are_true(const struct jf_convention *conv)
{
	struct jf_rows_input input = JF_ROWS_INPUT_INIT;
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_range range;
	struct jf_error error = {0};

	if (jf_range_from(&f.code, "f", 1, &range, &error) != JF_OK) {
		printf("# %s/%s: %s: %s\n", conv->backend->name, conv->name, error.where, error.text);
		return false;
	}
	input.backend = conv->backend;
	input.bytes = f.bytes;
	input.byte_count = f.code.size;
	input.address = ADDRESS;
	input.rows = range.rows;
	input.row_count = range.row_count;
	input.slots = range.slots;
	input.slot_count = range.slot_count;
	if (jf_rows_verify(&input, &report, &error) != JF_OK || report.verdict != JF_ROWS_TRUE) {
		printf("# %s/%s: %s %s: %s\n", conv->backend->name, conv->name, jf_role_name(f.frame.spec.role),
		       error.text, report.text);
		return false;
	}
	return range.rows[0].code_off == 0 && range.end - range.start == f.code.size;
}

static bool counts_agree(const struct jf_convention *conv, bool calls)
{
	struct jf_code counted;

	jf_code_init(&counted, NULL, 0, ADDRESS, NULL, 0);
	emit(&counted, calls);
	if (jf_code_finish(&counted) != JF_OK || counted.size < f.code.size || counted.size > f.code.size + 16 ||
	    counted.row_count < f.code.row_count) {
		printf("# %s/%s: %zu bytes and %zu rows, counted %zu and %zu\n", conv->backend->name, conv->name,
		       f.code.size, f.code.row_count, counted.size, counted.row_count);
		return false;
	}
	/* What was counted is enough; a byte less is not. */
	jf_code_init(&counted, f.bytes, counted.size, ADDRESS, f.rows, counted.row_count);
	emit(&counted, calls);
	if (jf_code_finish(&counted) != JF_OK)
		return false;
	jf_code_init(&counted, f.bytes, counted.size - 1, ADDRESS, f.rows, COUNT(f.rows));
	emit(&counted, calls);
	return jf_code_finish(&counted) == JF_E_NOSPACE;
}

static bool try_spec(const struct jf_convention *conv, uint32_t role, uint32_t stack, bool tail_calls)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	bool calls = !conv->backend->call_stubs || !conv->backend->call_stubs(conv);
	struct jf_error error = {0};

	spec.role = role;
	spec.bpf_stack_bytes = stack;
	spec.bpf_regs_used = 1 << 6;
	spec.tail_calls = tail_calls;
	if (jf_frame_solve(conv, &spec, &f.frame, &error) != JF_OK)
		return error.status == JF_E_UNSUPPORTED || error.status == JF_E_BAD_SPEC;
	jf_code_init(&f.code, f.bytes, sizeof(f.bytes), ADDRESS, f.rows, COUNT(f.rows));
	emit(&f.code, calls);
	if (jf_function_end(&f.code, &error) != JF_OK) {
		printf("# %s/%s: %s\n", conv->backend->name, conv->name, error.text);
		return false;
	}
	/* The first row of a callback, and of a function of tail calls, is not that of a function of the ABI. */
	if (role != JF_ROLE_CALLBACK && !rows_are_true(conv))
		return false;
	return counts_agree(conv, calls);
}

static bool every_convention(void)
{
	bool good = true;

	for (size_t i = 0; jf_backend_at(i); i++)
		for (unsigned int c = 0; c < jf_backend_at(i)->convention_count; c++)
			for (uint32_t role = 0; role < JF_ROLE__COUNT; role++)
				for (unsigned int way = 0; way < 4; way++)
					good &= try_spec(jf_backend_at(i)->conventions[c], role, way & 1 ? 64 : 0,
							 way & 2);
	return good;
}

/* ---- what is refused, or told --------------------------------------------------------------------------- */

/* A body that moves FP: rows by FP are not true any more, and the checker says so. */
static bool a_body_that_moves_fp_is_told(void)
{
	const struct jf_backend *backend;
	bool good = true;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		struct jf_rows_input input = JF_ROWS_INPUT_INIT;
		struct jf_rows_report report = JF_ROWS_REPORT_INIT;
		struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

		spec.role = JF_ROLE_SUBPROGRAM;
		if (jf_frame_solve(backend->conventions[0], &spec, &f.frame, NULL) != JF_OK)
			return false;
		jf_code_init(&f.code, f.bytes, sizeof(f.bytes), ADDRESS, f.rows, COUNT(f.rows));
		jf_function_begin(&f.code, &f.frame, NULL);
		backend->build->add(&f.code, backend->fp, backend->fp, 32);
		backend->build->move(&f.code, backend->args[0], backend->args[1]);
		jf_function_return(&f.code);
		input.backend = backend;
		input.bytes = f.bytes;
		input.byte_count = f.code.size;
		input.rows = f.rows;
		input.row_count = f.code.row_count;
		input.slots = f.frame.slots;
		input.slot_count = f.frame.slot_count;
		good &= jf_rows_verify(&input, &report, NULL) == JF_OK && report.verdict == JF_ROWS_UNTRUE &&
			report.about == JF_ROWS_ABOUT_CFA;
	}
	return good;
}

/* A convention without exceptions says nothing of landings, and has no boundaries. */
static bool without_exceptions_there_are_no_boundaries(void)
{
	const struct jf_backend *backend;
	bool good = true;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		const struct jf_convention *user;
		struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
		struct jf_convention plain;
		char target[64];

		snprintf(target, sizeof(target), "%s/user", backend->name);
		if (jf_convention_find(target, &user, NULL) != JF_OK)
			return false;
		plain = *user;
		plain.landing = JF_LANDING_NONE;
		plain.cleanup_entry = JF_CLEANUP_NONE;
		plain.caps &= ~(uint32_t)(JF_CAP_EXCEPTIONS | JF_CAP_PRIVATE_STACK_CALLBACK);
		good &= jf_convention_check(&plain, NULL, 0) == 0;
		good &= jf_frame_solve(&plain, &spec, &f.frame, NULL) == JF_OK;
		spec.role = JF_ROLE_BOUNDARY;
		good &= jf_frame_solve(&plain, &spec, &f.frame, NULL) == JF_E_UNSUPPORTED;
	}
	return good;
}

static enum jf_status status_of(void (*emit_it)(struct jf_body *b, const struct jf_body_ops *ops),
				struct jf_places *places)
{
	const struct jf_convention *conv = jf_backend_at(0)->conventions[0];
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_body body;

	spec.role = JF_ROLE_SUBPROGRAM;
	if (jf_frame_solve(conv, &spec, &f.frame, NULL) != JF_OK)
		return JF_OK;
	jf_code_init(&f.code, f.bytes, sizeof(f.bytes), ADDRESS, f.rows, COUNT(f.rows));
	jf_function_begin(&f.code, &f.frame, NULL);
	jf_body_init(&body, &f.code, places);
	emit_it(&body, &conv->backend->body);
	jf_body_end(&body);
	return jf_function_end(&f.code, NULL);
}

static const struct jf_op mov = {.code = JF_ALU_MOV, .is64 = true, .dst = 1, .src = 2};
static const struct jf_op jump = {.code = JF_COND_EQ, .is64 = true, .is_imm = true, .dst = 1, .target = 0};

static void no_hook(struct jf_body *b, const struct jf_body_ops *ops)
{
	(void)ops;
	jf_body_op(b, NULL, &mov);
}

static void no_register(struct jf_body *b, const struct jf_body_ops *ops)
{
	struct jf_op op = mov;

	op.src = JF_BPF_AX;
	jf_body_op(b, ops->alu, &op);
}

static void arena(struct jf_body *b, const struct jf_body_ops *ops)
{
	jf_body_op(b, ops->load, &(struct jf_op){.arena = true, .bytes = 8});
}

static void to_no_place(struct jf_body *b, const struct jf_body_ops *ops)
{
	struct jf_op op = jump;

	op.target = 1;
	jf_body_op(b, ops->jump, &op);
}

static void jump_ahead(struct jf_body *b, const struct jf_body_ops *ops)
{
	jf_body_op(b, ops->jump, &jump);
}

static void jump_twice(struct jf_body *b, const struct jf_body_ops *ops)
{
	jump_ahead(b, ops);
	jump_ahead(b, ops);
}

static void place_twice(struct jf_body *b, const struct jf_body_ops *ops)
{
	jump_ahead(b, ops);
	jf_body_place(b, 0);
	jf_body_place(b, 0);
}

static bool mistakes_have_a_status(void)
{
	uint32_t off[1];
	struct jf_pending pending[1];
	struct jf_places places = {off, 1, pending, 1, 0};
	const struct {
		void (*emit_it)(struct jf_body *b, const struct jf_body_ops *ops);
		struct jf_places *places;
		enum jf_status status;
	} cases[] = {
		{no_hook, NULL, JF_E_UNSUPPORTED},   {no_register, NULL, JF_E_INVAL},
		{arena, NULL, JF_E_UNSUPPORTED},     {jump_ahead, NULL, JF_E_INVAL},
		{to_no_place, &places, JF_E_INVAL},  {jump_ahead, &places, JF_E_NOT_FOUND},
		{jump_twice, &places, JF_E_NOSPACE}, {place_twice, &places, JF_E_INVAL},
	};
	bool good = true;

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum jf_status status = status_of(cases[i].emit_it, cases[i].places);

		if (status != cases[i].status)
			printf("# case %zu: %s\n", i, jf_status_name(status));
		good &= status == cases[i].status;
	}
	return good;
}

/* Ranges of what is not there yet: each refusal says where. */
static bool ranges_are_made_of_whole_functions(void)
{
	struct jf_code none, counted;
	struct jf_range range;
	struct jf_error error = {.where = ""};

	jf_code_init(&none, f.bytes, sizeof(f.bytes), ADDRESS, f.rows, COUNT(f.rows));
	if (jf_range_from(&none, "f", 0, &range, &error) != JF_E_INVAL || strcmp(error.where, "code"))
		return false;
	jf_function_return(&none);
	if (jf_function_end(&none, &error) != JF_E_INVAL)
		return false;
	jf_code_init(&counted, NULL, 0, ADDRESS, f.rows, COUNT(f.rows));
	emit(&counted, false);
	if (jf_range_from(&counted, "f", 0, &range, &error) != JF_E_INVAL || !strstr(error.text, "counts"))
		return false;
	jf_code_init(&counted, f.bytes, sizeof(f.bytes), ADDRESS, NULL, 0);
	emit(&counted, false);
	if (jf_range_from(&counted, "f", 0, &range, &error) != JF_E_INVAL || !strstr(error.text, "rows"))
		return false;
	f.frame.spec.role = JF_ROLE_BOUNDARY;
	jf_code_init(&counted, f.bytes, sizeof(f.bytes), ADDRESS, f.rows, COUNT(f.rows));
	emit(&counted, false);
	return jf_range_from(&counted, NULL, 1, &range, &error) == JF_E_INVAL && !strcmp(error.where, "name") &&
	       jf_range_from(&counted, "f", 0, &range, &error) == JF_E_INVAL && !strcmp(error.where, "callback");
}

/* One buffer, two functions: each range has its own part of the bytes and of the rows. */
static bool functions_lie_one_behind_the_other(void)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_range first, second;
	size_t bytes, rows;

	if (jf_frame_solve(jf_backend_at(0)->conventions[0], &spec, &f.frame, NULL) != JF_OK)
		return false;
	jf_code_init(&f.code, f.bytes, sizeof(f.bytes), ADDRESS, f.rows, COUNT(f.rows));
	emit(&f.code, false);
	bytes = f.code.size;
	rows = f.code.row_count;
	if (jf_range_from(&f.code, "first", 0, &first, NULL) != JF_OK)
		return false;
	emit(&f.code, false);
	return jf_range_from(&f.code, "second", 0, &second, NULL) == JF_OK && first.end == second.start &&
	       second.end == ADDRESS + 2 * bytes && second.rows == first.rows + rows && second.row_count == rows &&
	       second.rows[0].code_off == 0;
}

static const struct tap_test tests[] = {
	TEST(every_convention),
	TEST(a_body_that_moves_fp_is_told),
	TEST(without_exceptions_there_are_no_boundaries),
	TEST(mistakes_have_a_status),
	TEST(ranges_are_made_of_whole_functions),
	TEST(functions_lie_one_behind_the_other),
};

int main(void)
{
	return tap_run(tests, COUNT(tests));
}

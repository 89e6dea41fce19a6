/* SPDX-License-Identifier: BSD-2-Clause */
#include "checked.h"

#include <stdlib.h>

/*
 * What the functions of one dump are to each other. A kernel dumps a program: its first function is entered from
 * outside, the others by calls or after a throw; and a program with a callback has a boundary.
 */

static bool is_program(const struct machine_code *code)
{
	return code->format == CODE_BPFTOOL || code->format == CODE_BPFTOOL_JSON;
}

static uint32_t likely_roles(const struct check_args *args, const struct machine_code *code, size_t index)
{
	if (args->spec.role_given && !code->functions[index].is_context)
		return UINT32_C(1) << args->spec.spec.role;
	if (code->count == 1 || !is_program(code))
		return JF_INFER_ANY_ROLE;
	return index == 0 ? 1u << JF_ROLE_MAIN | 1u << JF_ROLE_BOUNDARY :
			    1u << JF_ROLE_SUBPROGRAM | 1u << JF_ROLE_CALLBACK;
}

static int infer(struct check_args *args, const struct machine_code *code, size_t index, uint32_t roles,
		 struct jf_inferred *inferred)
{
	const struct code_function *function = &code->functions[index];
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	enum jf_status status;

	input.conv = args->spec.conv;
	input.bytes = function->bytes;
	input.byte_count = function->size;
	input.spec = args->spec.spec;
	/* What is given of one function holds for another one where it holds for all of a program. */
	input.given = args->spec.given;
	input.jump_targets = args->jumps;
	input.jump_target_count = args->jump_count;
	if (function->is_context)
		input.given &= JF_GIVEN_LANDING_PADS | JF_GIVEN_SIGN_RETURN;
	*inferred = (struct jf_inferred){.size = sizeof(*inferred)};
	status = jf_check_infer(&input, roles, inferred);
	if (status != JF_OK)
		return cli_bad_input("%s: its spec cannot be inferred: %s", function->name, jf_status_text(status));
	return 0;
}

/* By what it may be; as anything where that is nearer: a dump may have more than one program. */
static int infer_likely(struct check_args *args, const struct machine_code *code, size_t index,
			struct jf_inferred *inferred)
{
	int status = infer(args, code, index, likely_roles(args, code, index), inferred);
	struct jf_inferred other;

	if (status != 0 || inferred->differences == 0 || args->spec.role_given)
		return status;
	status = infer(args, code, index, JF_INFER_ANY_ROLE, &other);
	if (status == 0 && other.differences < inferred->differences)
		*inferred = other;
	return status;
}

int check_infer_all(struct check_args *args, const struct machine_code *code, struct jf_inferred *all)
{
	bool has_callback = false;
	struct jf_frame frame;
	struct jf_error error = {0};
	int status = 0;

	args->output.is_program = is_program(code) && code->count > 1;
	if (jf_frame_solve(args->spec.conv, &args->spec.spec, &frame, &error) != JF_OK)
		return cli_error(code->path, NULL, &error);
	for (size_t i = 0; status == 0 && i < code->count; i++) {
		if (code->functions[i].is_context && !is_program(code))
			continue;
		status = infer_likely(args, code, i, &all[i]);
		has_callback |= i && status == 0 && all[i].spec.role == JF_ROLE_CALLBACK;
	}
	if (status == 0 && has_callback && is_program(code) && likely_roles(args, code, 0) & 1u << JF_ROLE_BOUNDARY)
		status = infer(args, code, 0, 1u << JF_ROLE_BOUNDARY, &all[0]);
	return status;
}

/* Whether code has the instructions of `stub`, whatever they call. */
static bool is_like(const struct jf_backend *backend, const struct code_function *function, const struct jf_code *stub)
{
	size_t off = 0;

	while (off < stub->size && off < function->size) {
		struct jf_effect a, b;

		if (jf_decode(backend, function->bytes + off, function->size - off, &a) != JF_OK ||
		    jf_decode(backend, stub->bytes + off, stub->size - off, &b) != JF_OK || a.name != b.name ||
		    a.size_bytes != b.size_bytes || a.flow != b.flow)
			return false;
		off += a.size_bytes;
	}
	return off == stub->size && off == function->size;
}

bool check_is_call_stub(const struct jf_convention *conv, const struct code_function *function)
{
	/* Near, and further than a call reaches. */
	static const uint64_t targets[] = {0x100, UINT64_C(0x700000000000)};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;
	uint8_t bytes[JF_FUNCTION_BYTES_MAX];
	struct jf_code code;

	if (!conv->backend->call_stubs || !conv->backend->call_stubs(conv) ||
	    jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK)
		return false;
	for (unsigned int i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
		jf_frame_begin(&code, &frame);
		conv->backend->emit_call_stub(&code, &frame, targets[i]);
		if (code.status == JF_OK && is_like(conv->backend, function, &code))
			return true;
	}
	return false;
}

const struct jf_frame_spec *check_boundary_of(const struct check_args *args, const struct machine_code *code,
					      const struct jf_inferred *all)
{
	if (args->has_boundary)
		return &args->boundary;
	return is_program(code) && code->count > 1 && all[0].spec.role == JF_ROLE_BOUNDARY ? &all[0].spec : NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "function.h"

#include "memory.h"

static volatile uint64_t unknown; /* 0; keeps calls from being jumps */

const struct jf_convention *conv;

bool is_hardened;

/* What the pages are to check. */
static int pad_prot(void)
{
	const struct jf_native *native = conv->backend->native;

	return is_hardened && native->landing_pad_prot ? native->landing_pad_prot() : 0;
}

bool function_begin(struct function *f, const struct jf_frame_spec *plain)
{
	uint8_t *bytes = memory_room();
	struct jf_frame_spec spec = *plain;

	spec.landing_pads = is_hardened && jf_convention_supports(conv, JF_CAP_LANDING_PADS);
	spec.sign_return = is_hardened && jf_convention_supports(conv, JF_CAP_SIGN_RETURN);
	if (!bytes || jf_frame_solve(conv, &spec, &f->frame, NULL) != JF_OK)
		return false;
	jf_code_init(&f->code, bytes, MEMORY_BYTES, (uintptr_t)bytes, f->rows, COUNT(f->rows));
	jf_function_begin(&f->code, &f->frame, NULL);
	jf_body_init(&f->body, &f->code, NULL);
	return true;
}

/* returns: the function's address; 0: something failed. */
uint64_t function_end(struct function *f, const char *name, uint64_t callback)
{
	struct jf_error error;

	if (jf_function_end(&f->code, &error) != JF_OK ||
	    jf_range_from(&f->code, name, callback, &f->range, &error) != JF_OK ||
	    jf_code_map_add(&f->range, &error) != JF_OK) {
		printf("# %s: %s\n", error.where, error.text);
		return 0;
	}
	return memory_run(f->code.bytes, f->code.size, pad_prot()) ? f->range.start : 0;
}

void function_op(struct function *f, enum jf_alu code, uint8_t dst, uint8_t src)
{
	jf_body_op(&f->body, conv->backend->body.alu,
		   &(struct jf_op){.code = (uint8_t)code, .is64 = true, .dst = dst, .src = src});
}

void function_op_imm(struct function *f, enum jf_alu code, uint8_t dst, int32_t imm)
{
	jf_body_op(&f->body, conv->backend->body.alu,
		   &(struct jf_op){.code = (uint8_t)code, .is64 = true, .is_imm = true, .dst = dst, .imm = imm});
}

void function_call(struct function *f, uint64_t address)
{
	jf_body_call(&f->body, &(struct jf_call){.kind = JF_CALL_C, .sixth = JF_REG_NONE, .address = address});
}

void function_store(struct function *f, uint8_t src, int16_t off)
{
	jf_body_op(&f->body, conv->backend->body.store,
		   &(struct jf_op){.bytes = 8, .dst = JF_BPF_FP, .src = src, .off = off});
}

void function_load(struct function *f, uint8_t dst, int16_t off)
{
	jf_body_op(&f->body, conv->backend->body.load,
		   &(struct jf_op){.bytes = 8, .dst = dst, .src = JF_BPF_FP, .off = off});
}

/* C calls by a pointer. */
uint64_t run(uint64_t address, uint64_t arg)
{
	return ((uint64_t(*)(uint64_t))(uintptr_t)address)(arg) + unknown;
}

/* f(x) = callee(x + add) + x, with x in R6, R7 and in the stack meanwhile. */
uint64_t make_caller(struct function *f, const char *name, uint32_t role, uint32_t stack, int32_t add, uint64_t callee,
		     uint64_t callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = role;
	spec.bpf_stack_bytes = stack;
	spec.bpf_regs_used = 1 << 6 | 1 << 7;
	if (!function_begin(f, &spec))
		return 0;
	function_op(f, JF_ALU_MOV, 6, 1);
	function_op(f, JF_ALU_MOV, 7, 1);
	if (stack)
		function_store(f, 1, -8);
	function_op_imm(f, JF_ALU_ADD, 1, add);
	function_call(f, callee);
	if (stack)
		function_load(f, 7, -8);
	function_op(f, JF_ALU_SUB, 7, 6); /* 0 */
	function_op(f, JF_ALU_ADD, 0, 7);
	function_op(f, JF_ALU_ADD, 0, 6);
	jf_function_return(&f->code);
	return function_end(f, name, callback);
}

void remove_all(struct function *functions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (jf_code_map_remove(&functions[i].range) != JF_OK)
			printf("# %s was not registered\n", functions[i].range.name);
}

uint64_t to_call;

uint64_t run_it(void *arg)
{
	return run(to_call, *(uint64_t *)arg);
}

bool find_convention(void)
{
	char target[64];

	if (!jf_backend_host())
		return true;
	snprintf(target, sizeof(target), "%s/user", jf_backend_host()->name);
	return jf_convention_find(target, &conv, NULL) == JF_OK && jf_thread_init() == JF_OK &&
	       jf_cfi_load_objects(NULL) == JF_OK;
}

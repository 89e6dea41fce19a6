/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A compiler of a small language of its own, whose functions can be thrown through, caught, walked, and seen by gdb.
 * For any processor that jitframe runs on; no encoder is needed here.
 *
 *     cc -g foreign.c $(pkg-config --cflags --libs jitframe) -o foreign
 *     gdb -batch -ex 'break small' -ex run -ex backtrace ./foreign
 *
 * A function is words from left to right. A number and `x`, the argument, put a value on a stack; + - * take two values
 * and put one back; a name calls the function on one value: an earlier one, or a C function of the host.
 */

#include <inttypes.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_BYTES 4096
#define DEPTH_MAX  16

/* ---- the host's functions ------------------------------------------------------------------------------- */

static volatile uint64_t last; /* set behind calls, so that no call is a jump */

/* Throws what is too large. */
static uint64_t small(uint64_t x)
{
	if (x > 100)
		last = (uint64_t)jf_throw(x);
	return x;
}

/* Prints its own frame, and the two that have led there. */
static uint64_t trace(uint64_t x)
{
	const struct jf_backtrace_opts three = {.size = sizeof(three), .frames_max = 3};

	jf_backtrace_print(STDOUT_FILENO, &three);
	return x;
}

/* ---- the compiler --------------------------------------------------------------------------------------- */

/* Frame, rows and range are needed as long as the function is registered. */
static struct function {
	const char *name;
	uint64_t address;
	struct jf_frame frame;
	struct jf_row rows[64];
	struct jf_range range;
} functions[8] = {{.name = "small", .address = (uintptr_t)small}, {.name = "trace", .address = (uintptr_t)trace}};
static size_t function_count = 2;

static const struct jf_body_ops *ops;
static struct jf_code code;
static struct jf_body body;
static int depth; /* values on the language's stack, which is the frame's; x is in the first slot */

static void push(uint8_t reg)
{
	if (++depth > DEPTH_MAX)
		jf_code_fail(&code, JF_E_NOSPACE);
	jf_body_op(&body, ops->store,
		   &(struct jf_op){.bytes = 8, .dst = JF_BPF_FP, .src = reg, .off = (int16_t)(-8 * (depth + 1))});
}

static void pop(uint8_t reg)
{
	if (depth < 1)
		jf_code_fail(&code, JF_E_BAD_INSN);
	jf_body_op(&body, ops->load,
		   &(struct jf_op){.bytes = 8, .dst = reg, .src = JF_BPF_FP, .off = (int16_t)(-8 * (depth + 1))});
	depth--;
}

static void compile_call(const char *name)
{
	struct jf_call call = {.kind = JF_CALL_C, .sixth = JF_REG_NONE};

	for (size_t i = 0; i < function_count; i++)
		if (!strcmp(functions[i].name, name))
			call.address = functions[i].address;
	if (!call.address)
		jf_code_fail(&code, JF_E_NOT_FOUND);
	pop(JF_BPF_R1);
	jf_body_call(&body, &call);
	push(JF_BPF_R0);
}

static void compile_word(const char *word)
{
	static const char signs[] = "+-*"; /* in the order of JF_ALU_ADD, JF_ALU_SUB, JF_ALU_MUL */
	const char *sign = strchr(signs, *word);
	char *end;
	long number = strtol(word, &end, 10);

	if (!*end) {
		jf_body_op(&body, ops->alu,
			   &(struct jf_op){
				   .code = JF_ALU_MOV, .is64 = true, .is_imm = true, .dst = 1, .imm = (int32_t)number});
		push(JF_BPF_R1);
	} else if (!strcmp(word, "x")) {
		jf_body_op(&body, ops->load, &(struct jf_op){.bytes = 8, .dst = 1, .src = JF_BPF_FP, .off = -8});
		push(JF_BPF_R1);
	} else if (sign && !word[1]) {
		pop(JF_BPF_R2);
		pop(JF_BPF_R1);
		jf_body_op(&body, ops->alu,
			   &(struct jf_op){.code = (uint8_t)(sign - signs), .is64 = true, .dst = 1, .src = 2});
		push(JF_BPF_R1);
	} else {
		compile_call(word);
	}
}

static enum jf_status compile(const struct jf_convention *conv, const char *name, const char *source,
			      struct jf_error *error)
{
	struct function *f = &functions[function_count];
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	uint8_t *bytes = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char text[256], *rest;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 8 * (DEPTH_MAX + 1);
	if (bytes == MAP_FAILED)
		return jf_error_set(error, JF_E_NO_MEMORY, name, "no memory for code");
	if (jf_frame_solve(conv, &spec, &f->frame, error) != JF_OK)
		return error->status;
	snprintf(text, sizeof(text), "%s", source);
	ops = &conv->backend->body;
	depth = 0;
	jf_code_init(&code, bytes, CODE_BYTES, (uintptr_t)bytes, f->rows, sizeof(f->rows) / sizeof(f->rows[0]));
	jf_function_begin(&code, &f->frame, NULL);
	jf_body_init(&body, &code, NULL);
	jf_body_op(&body, ops->store, &(struct jf_op){.bytes = 8, .dst = JF_BPF_FP, .src = JF_BPF_R1, .off = -8});
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		compile_word(word);
	pop(JF_BPF_R0);
	jf_function_return(&code);
	if (jf_function_end(&code, error) != JF_OK || jf_range_from(&code, name, 0, &f->range, error) != JF_OK)
		return error->status;
	__builtin___clear_cache((char *)bytes, (char *)bytes + code.size);
	if (mprotect(bytes, CODE_BYTES, PROT_READ | PROT_EXEC))
		return jf_error_set(error, JF_E_NO_MEMORY, name, "code cannot be made executable");
	f->name = name;
	f->address = f->range.start;
	function_count++;
	return jf_code_map_add(&f->range, error);
}

/* ---- running -------------------------------------------------------------------------------------------- */

static uint64_t run(void *x)
{
	uint64_t (*outer)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)functions[function_count - 1].address;

	return last = outer(*(uint64_t *)x);
}

static void run_and_catch(uint64_t x)
{
	uint64_t value = 0;

	switch (jf_try(run, &x, &value)) {
	case JF_OK: printf("outer(%" PRIu64 ") = %" PRIu64 "\n", x, value); break;
	case JF_CAUGHT: printf("outer(%" PRIu64 ") threw %" PRIu64 "\n", x, value); break;
	default: printf("outer(%" PRIu64 ") was not called\n", x);
	}
}

int main(void)
{
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_error error = {.text = ""};
	char target[64];

	if (jf_publish_start(JF_PUBLISH_CFI | JF_PUBLISH_GDB, &error) != JF_OK)
		fprintf(stderr, "gdb and C++ will not see the functions: %s\n", error.text);
	snprintf(target, sizeof(target), "%s/user", host ? host->name : "none");
	if (jf_convention_find(target, &conv, &error) != JF_OK ||
	    compile(conv, "inner", "x small trace 2 *", &error) != JF_OK ||
	    compile(conv, "outer", "x 1 + inner x -", &error) != JF_OK || jf_thread_init() != JF_OK) {
		fprintf(stderr, "%s: %s: %s\n", jf_status_name(error.status), error.where, error.text);
		return 1;
	}
	run_and_catch(20);  /* 21 * 2 - 20 */
	run_and_catch(150); /* 151 is too large for small() */
	return 0;
}

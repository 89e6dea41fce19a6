/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A compiler of a small language of its own, whose functions can be thrown through, caught and walked. Any processor
 * that jitframe runs on; no encoder is needed here.
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

#define CODE_BYTES 4096
#define DEPTH_MAX  16

/* ---- the host's functions ------------------------------------------------------------------------------- */

static volatile uint64_t last; /* after each call: so that no call of jf_throw() is a jump */

/* Throws what is too large. */
static uint64_t small(uint64_t x)
{
	if (x > 100)
		last = (uint64_t)jf_throw(x);
	return x;
}

/* Prints the names of the functions that have called it. */
static uint64_t trace(uint64_t x)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);

	for (; status == JF_OK; status = jf_walk_step(&walk)) {
		const struct jf_walk_frame *frame = jf_walk_at(&walk);

		if (frame->range && frame->range->kind < JF_RANGE_STUB)
			printf("  called by %s\n", frame->name);
	}
	jf_walk_end(&walk);
	return x;
}

/* ---- the compiler --------------------------------------------------------------------------------------- */

struct word {
	const char *name;
	uint64_t address;
};
static struct word words[16] = {{"small", (uintptr_t)small}, {"trace", (uintptr_t)trace}};
static unsigned int word_count = 2;

/* What is needed as long as the function is registered. */
struct function {
	struct jf_frame frame;
	struct jf_row rows[64];
	struct jf_range range;
};

struct compiler {
	const struct jf_body_ops *ops;
	struct jf_code code;
	struct jf_body body;
	unsigned int depth; /* values on the language's stack, which is the frame's */
};

static struct jf_op slot(const struct compiler *c, uint8_t dst, uint8_t src)
{
	return (struct jf_op){.bytes = 8, .dst = dst, .src = src, .off = (int16_t)(-8 * (int)(c->depth + 1))};
}

static void push(struct compiler *c, uint8_t reg)
{
	struct jf_op op;

	if (++c->depth > DEPTH_MAX)
		jf_code_fail(&c->code, JF_E_NOSPACE);
	op = slot(c, JF_BPF_FP, reg);
	jf_body_op(&c->body, c->ops->store, &op);
}

static void pop(struct compiler *c, uint8_t reg)
{
	struct jf_op op = slot(c, reg, JF_BPF_FP);

	if (!c->depth) {
		jf_code_fail(&c->code, JF_E_BAD_INSN);
		return;
	}
	jf_body_op(&c->body, c->ops->load, &op);
	c->depth--;
}

static void call(struct compiler *c, const char *name)
{
	for (unsigned int i = 0; i < word_count; i++) {
		if (strcmp(words[i].name, name))
			continue;
		pop(c, JF_BPF_R1);
		jf_body_call(&c->body, &(struct jf_call){.sixth = JF_REG_NONE, .address = words[i].address});
		push(c, JF_BPF_R0);
		return;
	}
	jf_code_fail(&c->code, JF_E_NOT_FOUND);
}

static void compile_word(struct compiler *c, const char *word)
{
	static const char operators[] = "+-*";
	const char *operator= strchr(operators, word[0]);
	struct jf_op op = {.code = JF_ALU_MOV, .is64 = true, .is_imm = true, .dst = JF_BPF_R1};
	char *end;

	op.imm = (int32_t)strtol(word, &end, 10);
	if (!*end) {
		jf_body_op(&c->body, c->ops->alu, &op);
		push(c, JF_BPF_R1);
	} else if (!strcmp(word, "x")) {
		op = (struct jf_op){.bytes = 8, .dst = JF_BPF_R1, .src = JF_BPF_FP, .off = -8};
		jf_body_op(&c->body, c->ops->load, &op);
		push(c, JF_BPF_R1);
	} else if (operator&& !word[1]) {
		pop(c, JF_BPF_R2);
		pop(c, JF_BPF_R1);
		op = (struct jf_op){.code = (uint8_t)(operator- operators), .is64 = true, .dst = 1, .src = 2};
		jf_body_op(&c->body, c->ops->alu, &op); /* JF_ALU_ADD, JF_ALU_SUB, JF_ALU_MUL */
		push(c, JF_BPF_R1);
	} else {
		call(c, word);
	}
}

/* The whole function, with the argument in the first slot of the stack. */
static void compile_body(struct compiler *c, const char *source)
{
	char text[256], *rest = text;

	snprintf(text, sizeof(text), "%s", source);
	jf_body_init(&c->body, &c->code, NULL);
	c->depth = 0;
	jf_body_op(&c->body, c->ops->store, &(struct jf_op){.bytes = 8, .dst = JF_BPF_FP, .src = 1, .off = -8});
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		compile_word(c, word);
	pop(c, JF_BPF_R0);
	jf_function_return(&c->code);
}

static enum jf_status compile(const struct jf_convention *conv, const char *name, const char *source,
			      struct function *f, struct jf_error *error)
{
	struct compiler c = {.ops = &conv->backend->body};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	uint8_t *bytes = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum jf_status status;

	if (bytes == MAP_FAILED)
		return jf_error_set(error, JF_E_NO_MEMORY, name, "no memory for code");
	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 8 * (DEPTH_MAX + 1);
	status = jf_frame_solve(conv, &spec, &f->frame, error);
	if (status != JF_OK)
		return status;
	jf_code_init(&c.code, bytes, CODE_BYTES, (uintptr_t)bytes, f->rows, sizeof(f->rows) / sizeof(f->rows[0]));
	jf_function_begin(&c.code, &f->frame, NULL);
	compile_body(&c, source);
	status = jf_function_end(&c.code, error);
	if (status == JF_OK)
		status = jf_range_from(&c.code, name, 0, &f->range, error);
	if (status != JF_OK)
		return status;
	__builtin___clear_cache((char *)bytes, (char *)bytes + c.code.size);
	if (mprotect(bytes, CODE_BYTES, PROT_READ | PROT_EXEC))
		return jf_error_set(error, JF_E_NO_MEMORY, name, "code cannot be made executable");
	words[word_count++] = (struct word){name, f->range.start};
	return jf_code_map_add(&f->range, error);
}

/* ---- running -------------------------------------------------------------------------------------------- */

static uint64_t run(void *arg)
{
	uint64_t (*function)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)words[word_count - 1].address;

	return last = function(*(uint64_t *)arg);
}

static void run_and_catch(uint64_t x)
{
	uint64_t value = 0;
	enum jf_status status = jf_try(run, &x, &value);

	if (status == JF_CAUGHT)
		printf("outer(%" PRIu64 ") threw %" PRIu64 "\n", x, value);
	else if (status == JF_OK)
		printf("outer(%" PRIu64 ") = %" PRIu64 "\n", x, value);
	else
		fprintf(stderr, "%s\n", jf_status_text(status));
}

int main(void)
{
	static struct function inner, outer;
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_error error;
	char target[64];

	snprintf(target, sizeof(target), "%s/user", host ? host->name : "none");
	if (jf_convention_find(target, &conv, &error) != JF_OK ||
	    compile(conv, "inner", "x small trace 2 *", &inner, &error) != JF_OK ||
	    compile(conv, "outer", "x 1 + inner x -", &outer, &error) != JF_OK) {
		fprintf(stderr, "%s: %s: %s\n", jf_status_name(error.status), error.where, error.text);
		return 1;
	}
	if (jf_publish_start(JF_PUBLISH_CFI | JF_PUBLISH_GDB, &error) != JF_OK)
		fprintf(stderr, "gdb will not see the functions: %s\n", error.text);
	if (jf_thread_init() != JF_OK)
		return 1;
	run_and_catch(20);  /* 21 * 2 - 20 */
	run_and_catch(150); /* 151 is too large for small() */
	return 0;
}

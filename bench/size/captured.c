/* SPDX-License-Identifier: BSD-2-Clause */
#include "captured.h"

#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verifier.h"

enum { OP_LDDW = BPF_LD | BPF_IMM | BPF_DW, OP_CALL = BPF_JMP | BPF_CALL };

static JF_PRINTF(1, 2) _Noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		die("no memory");
	return memory;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

struct reader {
	const char *path;
	unsigned int line;
	struct captured *captured;
	struct captured_program *program; /* the last one */
};

static uint8_t *read_hex(const struct reader *r, const char *text, size_t *size)
{
	size_t length = strlen(text);
	uint8_t *bytes = allocate(length / 2, 1);

	for (size_t i = 0; i < length / 2; i++)
		if (sscanf(text + 2 * i, "%2hhx", &bytes[i]) != 1)
			die("%s:%u: not hexadecimal", r->path, r->line);
	if (length == 0 || length % 2 != 0)
		die("%s:%u: not whole bytes", r->path, r->line);
	*size = length / 2;
	return bytes;
}

static void read_target(const struct reader *r, const char *name)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < backend->convention_count; k++) {
			char full[64];

			snprintf(full, sizeof(full), "%s/%s", backend->name, backend->conventions[k]->name);
			if (strcmp(full, name) == 0)
				r->captured->conv = backend->conventions[k];
		}
	}
	if (!r->captured->conv)
		die("%s:%u: there is no %s", r->path, r->line, name);
}

static void read_program(struct reader *r, const char *name)
{
	struct captured *c = r->captured;
	struct captured_program *programs = realloc(c->programs, (c->program_count + 1) * sizeof(*programs));

	if (!programs)
		die("no memory");
	c->programs = programs;
	r->program = &programs[c->program_count++];
	*r->program = (struct captured_program){.name = strdup(name)};
}

static void read_part(struct reader *r, const char *word, const char *value)
{
	struct captured_program *p = r->program;
	size_t size;

	if (!p)
		die("%s:%u: %s before the first program", r->path, r->line, word);
	if (strcmp(word, "bpf") == 0) {
		p->insns = (struct jf_insn *)(void *)read_hex(r, value, &size);
		p->insn_count = (uint32_t)(size / sizeof(struct jf_insn));
	} else if (strcmp(word, "at") == 0) {
		if (p->function_count == CAPTURED_FUNCTIONS_MAX)
			die("%s:%u: too many functions", r->path, r->line);
		p->functions[p->function_count++].address = strtoull(value, NULL, 16);
	} else if (p->function_count == 0) {
		die("%s:%u: code without its address", r->path, r->line);
	} else {
		p->functions[p->function_count - 1].code = read_hex(r, value, &size);
		p->functions[p->function_count - 1].size_bytes = size;
	}
}

static void read_line(struct reader *r, const char *word, const char *value)
{
	struct captured *c = r->captured;

	if (strcmp(word, "kernel") == 0)
		c->kernel = strdup(value);
	else if (strcmp(word, "target") == 0)
		read_target(r, value);
	else if (strcmp(word, "option") == 0 && strcmp(value, "landing-pads") == 0)
		c->opts.landing_pads = true;
	else if (strcmp(word, "option") == 0 && strcmp(value, "sign-return") == 0)
		c->opts.sign_return = true;
	else if (strcmp(word, "option") == 0 && strcmp(value, "atomic-insns") == 0)
		c->opts.atomic_insns = true;
	else if (strcmp(word, "call-base") == 0)
		c->call_base = strtoull(value, NULL, 16);
	else if (strcmp(word, "program") == 0)
		read_program(r, value);
	else if (strcmp(word, "bpf") == 0 || strcmp(word, "at") == 0 || strcmp(word, "code") == 0)
		read_part(r, word, value);
	else
		die("%s:%u: %s: no such line", r->path, r->line, word);
}

static void check(const struct reader *r)
{
	const struct captured *c = r->captured;

	if (!c->kernel || !c->conv || !c->call_base || c->program_count == 0)
		die("%s: kernel, target, call-base or programs are missing", r->path);
	for (uint32_t i = 0; i < c->program_count; i++) {
		const struct captured_program *p = &c->programs[i];

		if (p->insn_count == 0 || p->function_count == 0)
			die("%s: %s: no instructions, or no code", r->path, p->name);
		for (uint32_t k = 0; k < p->function_count; k++)
			if (!p->functions[k].code)
				die("%s: %s: a function has no code", r->path, p->name);
	}
}

void captured_read(const char *path, struct captured *captured)
{
	struct reader r = {.path = path, .captured = captured};
	FILE *file = fopen(path, "r");
	char *line = NULL, *value;
	size_t size = 0;

	if (!file)
		die("%s: cannot be read", path);
	*captured = (struct captured){.opts.size = sizeof(captured->opts)};
	while (getline(&line, &size, file) > 0) {
		r.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		value = strchr(line, ' ');
		if (!value)
			die("%s:%u: a word without a value", path, r.line);
		*value = '\0';
		read_line(&r, line, value + 1);
	}
	free(line);
	fclose(file);
	check(&r);
}

void captured_free(struct captured *captured)
{
	for (uint32_t i = 0; i < captured->program_count; i++) {
		struct captured_program *p = &captured->programs[i];

		for (uint32_t k = 0; k < p->function_count; k++)
			free(p->functions[k].code);
		free(p->insns);
		free(p->name);
	}
	free(captured->programs);
	free(captured->kernel);
}

/* ---- compiling -------------------------------------------------------------------------------------------- */

/* A program taken apart again into what jf_compile() wants. */
struct parts {
	const struct captured *captured;
	const struct captured_program *source;
	struct jf_insn *insns;
	uint32_t insn_count;
	uint8_t *starts; /* by instruction: whether a function begins there */
	struct jf_function *functions;
	uint32_t function_count;
	struct jf_import *helpers;
	uint32_t helper_count;
};

static uint32_t call_target(const struct parts *p, uint32_t index)
{
	/* The dump has the distance in `off`, and in `imm` which function it is. */
	int64_t target = (int64_t)index + 1 + p->insns[index].off;

	if (target < 0 || target >= p->insn_count)
		die("%s: instruction %u: calls what is not there", p->source->name, index);
	return (uint32_t)target;
}

static bool is_call(const struct jf_insn *insn, unsigned int src)
{
	return insn->opcode == OP_CALL && insn->regs >> 4 == src;
}

static void find_functions(struct parts *p)
{
	uint32_t count = p->insn_count, last = 0;

	p->starts[0] = 1;
	for (uint32_t i = 0; i < count; i++)
		if (p->insns[i].opcode == OP_LDDW)
			i++;
		else if (is_call(&p->insns[i], BPF_PSEUDO_CALL))
			p->starts[call_target(p, i)] = 1;
	for (uint32_t i = 0; i < count; i++) {
		if (!p->starts[i])
			continue;
		if (p->function_count)
			p->functions[p->function_count - 1].insn_count = i - last;
		p->functions[p->function_count++] =
			(struct jf_function){.name = p->source->name, .insns = &p->insns[i]};
		last = i;
	}
	p->functions[p->function_count - 1].insn_count = count - last;
	if (p->function_count != p->source->function_count)
		die("%s: %u functions, the kernel has %u", p->source->name, p->function_count,
		    p->source->function_count);
}

static void name_callees(struct parts *p)
{
	for (uint32_t i = 0; i < p->insn_count; i++) {
		struct jf_insn *insn = &p->insns[i];

		if (insn->opcode == OP_LDDW) {
			i++;
		} else if (is_call(insn, BPF_PSEUDO_CALL)) {
			uint32_t target = call_target(p, i);

			insn->imm = -1;
			for (uint32_t k = 0; k <= target; k++)
				insn->imm += p->starts[k];
			insn->off = 0;
		} else if (is_call(insn, 0) && insn->imm != BPF_FUNC_tail_call) {
			uint64_t address = p->captured->call_base + (uint64_t)(int64_t)insn->imm;

			p->helpers[p->helper_count] = (struct jf_import){.name = "C", .address = address};
			insn->imm = (int32_t)p->helper_count++;
		}
	}
}

struct jf_image *captured_compile(const struct captured *captured, const struct captured_program *program,
				  uint8_t **code)
{
	uint32_t count = program->insn_count;
	struct parts p = {.captured = captured, .source = program};
	struct jf_program whole = {.size = sizeof(whole), .callback = -1};
	struct jf_image *image = NULL;
	enum jf_status status;
	struct jf_error error;
	size_t capacity;

	p.insns = allocate(count, sizeof(*p.insns));
	memcpy(p.insns, program->insns, count * sizeof(*p.insns));
	p.insn_count = verifier_undo(p.insns, count);
	p.starts = allocate(count, 1);
	p.functions = allocate(count, sizeof(*p.functions));
	/* The first numbers stay empty: one of them means a tail call. */
	p.helper_count = BPF_FUNC_tail_call + 1;
	p.helpers = allocate(p.helper_count + (size_t)count, sizeof(*p.helpers));
	find_functions(&p);
	name_callees(&p);
	whole.functions = p.functions;
	whole.function_count = p.function_count;
	whole.helpers = p.helpers;
	whole.helper_count = p.helper_count;
	capacity = jf_compile_bound(captured->conv, &whole);
	*code = allocate(capacity, 1);
	status = jf_compile(captured->conv, &whole, &captured->opts, *code, capacity, program->functions[0].address,
			    &image, &error);
	if (status != JF_OK && status != JF_E_UNSUPPORTED)
		die("%s: %s", error.where, error.text);
	free(p.helpers);
	free(p.functions);
	free(p.starts);
	free(p.insns);
	return image;
}

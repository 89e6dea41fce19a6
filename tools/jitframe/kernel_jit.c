/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_jit.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_rewrite.h"

/* What the conventions named linux describe: docs/jit-author.md. */
#define CONVENTIONS_OF "7.3"

#define ARENA_BASE    UINT64_C(0x7e0000000000)
#define PRIVATE_STACK UINT64_C(0x7d0000000000)

/* ---- what the program says of itself ----------------------------------------------------------------------- */

static void read_words(struct kernel_jit *jit, char *words, bool is_inlines)
{
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		uint64_t number;

		if (is_inlines && cli_number(word, 10, KERNEL_HELPERS_MAX - 1, &number))
			jit->inlines[number] = true;
		jit->landing_pads |= !is_inlines && strcmp(word, "landing_pads") == 0;
		jit->sign_return |= !is_inlines && strcmp(word, "sign_return") == 0;
		jit->atomic_insns |= !is_inlines && strcmp(word, "atomic_insns") == 0;
	}
}

/* returns: false for what is not as docs/kernel-jit.md has it. */
static bool read_about_line(struct kernel_jit *jit, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return true;
	*value++ = '\0';
	if (strcmp(line, "arch") == 0)
		snprintf(jit->arch, sizeof(jit->arch), "%s", value);
	else if (strcmp(line, "tree") == 0)
		snprintf(jit->tree, sizeof(jit->tree), "%s", value);
	else if (strcmp(line, "base") == 0)
		return cli_number(value, 16, UINT64_MAX, &jit->base);
	else if (strcmp(line, "call_base") == 0)
		return cli_number(value, 16, UINT64_MAX, &jit->call_base);
	else if (strcmp(line, "exceptions") == 0)
		jit->exceptions = *value == '1';
	else if (strcmp(line, "private_stack") == 0)
		jit->private_stack = *value == '1';
	else if (strcmp(line, "ax") == 0)
		jit->ax = (uint8_t)(strtoul(value, NULL, 10) & 0x0f);
	else if (strcmp(line, "gives") == 0)
		read_words(jit, value, false);
	else if (strcmp(line, "inlines") == 0)
		read_words(jit, value, true);
	else if (strcmp(line, "relocate") == 0)
		jit->relocates = sscanf(value, "%" SCNx32 " %" SCNx32 " %" SCNx32, &jit->relocate_mask,
					&jit->relocate_match, &jit->relocate_flip) == 3;
	else if (strcmp(line, "per_cpu") == 0)
		return cli_number(value, 16, UINT64_MAX, &jit->per_cpu_word);
	else if (strcmp(line, "layout") == 0)
		return sscanf(value, "array.max_entries=%" SCNu32 " array.ptrs=%" SCNu32 " prog.bpf_func=%" SCNu32,
			      &jit->array_count_off, &jit->array_programs_off, &jit->program_code_off) == 3;
	else if (strcmp(line, "timed_may_goto") == 0) {
		jit->timed_may_goto = true;
		jit->timed_may_goto_imm = (int32_t)strtol(value, NULL, 10);
	}
	return true;
}

/* What a program of another jitframe, or none of scripts/kernel-jit, says of itself. */
static int not_understood(const struct kernel_jit *jit, const char *what)
{
	return cli_bad_input("%s: --about %s; `scripts/kernel-jit build` makes it anew", jit->program, what);
}

/* Asks a program of the folder. returns: 0, or prints and an exit status. */
static int ask(struct kernel_jit *jit, const char *folder, const char *name)
{
	char *about = NULL, *rest;
	bool is_good = true;
	int status;

	if (snprintf(jit->program, sizeof(jit->program), "%s/%s", folder, name) >= (int)sizeof(jit->program))
		return cli_bad_input("--jit: the name is too long");
	status = kernel_process(jit->program, "--about", "", 0, &about);
	rest = about;
	for (char *line = rest ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n"))
		is_good &= read_about_line(jit, line);
	free(about);
	if (status != 0)
		return cli_bad_input("--jit %s: no JIT is there; `scripts/kernel-jit build` makes one", folder);
	if (!is_good)
		return not_understood(jit, "has a line with a wrong number");
	return jit->arch[0] && jit->tree[0] ? 0 : not_understood(jit, "has no arch or no tree");
}

/* The same JIT at addresses that a process has. */
static int ask_to_run(struct kernel_jit *jit, const char *folder)
{
	int status = ask(jit, folder, "jit-run");

	/* Code in the place of helpers reads the kernel's task; and the stub for time is not in the runner. */
	memset(jit->inlines, 0, sizeof(jit->inlines));
	jit->timed_may_goto = false;
	if (status == 0 && (!jit->call_base || !jit->array_programs_off))
		status = not_understood(jit, "has no call_base or no layout");
	return status;
}

static void warn_of_release(const struct kernel_jit *jit)
{
	if (strncmp(jit->tree, CONVENTIONS_OF ".", strlen(CONVENTIONS_OF ".")) != 0)
		cli_warn("%s/%s describes Linux %s, and the JIT is of Linux %s: registers and slots may be others",
			 jit->conv->backend->name, jit->conv->name, CONVENTIONS_OF, jit->tree);
}

int kernel_jit_open(struct kernel_jit *jit, const char *folder, const char *target, enum kernel_use use)
{
	char name[96];
	int status;

	*jit = (struct kernel_jit){
		.ax = JF_BPF_FP + 1, .arena_base = ARENA_BASE, .private_stack_address = PRIVATE_STACK};
	status = ask(jit, folder, "jit");
	if (status != 0)
		return status;
	if (!jf_backend_find(jit->arch))
		return cli_bad_input(
			"--jit %s: it is for %s, which has no backend: docs/kernel-jit.md says how to ask the "
			"JIT itself",
			folder, jit->arch);
	snprintf(name, sizeof(name), "%s/linux", jit->arch);
	status = cli_convention(target ? target : name, &jit->conv);
	if (status == 0 && strcmp(jit->conv->backend->name, jit->arch) != 0)
		status = cli_bad_input("--jit %s: it is for %s, not for %s", folder, jit->arch,
				       jit->conv->backend->name);
	if (status == 0 && use == KERNEL_TO_RUN)
		status = ask_to_run(jit, folder);
	if (status == 0)
		warn_of_release(jit);
	return status;
}

int kernel_jit_set_up(const struct kernel_jit *jit, struct object *object)
{
	object->conv = jit->conv;
	object->address = jit->base;
	object->call_base = jit->call_base;
	object->opts.landing_pads = jit->landing_pads;
	object->opts.sign_return = jit->sign_return;
	object->opts.atomic_insns = jit->atomic_insns;
	object->opts.values.arena_base = jit->arena_base;
	object->opts.values.private_stack = jit->private_stack_address;
	if (object->opts.private_stack && !jit->private_stack)
		return cli_bad_input("the JIT of Linux %s for %s has no private stacks", jit->tree, jit->arch);
	return 0;
}

/* ---- a program as lines ------------------------------------------------------------------------------------ */

/* Whether a tail call is in the function, or is reached through calls and addresses of functions. */
static bool reaches_tail_call(const struct jf_program *program, uint32_t index, bool *seen)
{
	const struct jf_function *function = &program->functions[index];
	bool found = false;

	seen[index] = true;
	for (uint32_t i = 0; i < function->insn_count; i += function->insns[i].opcode == JF_INSN_LDDW ? 2 : 1) {
		const struct jf_insn *insn = &function->insns[i];

		if (insn->opcode == JF_INSN_CALL && jf_insn_src(insn) == JF_SRC_HELPER &&
		    insn->imm == JF_HELPER_TAIL_CALL)
			found = true;
		if (jf_insn_names_function(insn) && !seen[insn->imm])
			found |= reaches_tail_call(program, (uint32_t)insn->imm, seen);
	}
	return found;
}

static bool has_tail_calls(const struct jf_program *program, uint32_t index)
{
	bool *seen, found;

	if (index >= program->function_count)
		return false;
	seen = calloc(program->function_count, sizeof(*seen));
	found = seen && reaches_tail_call(program, index, seen);
	free(seen);
	return found;
}

/* A name is anybody's text, and words are apart by blanks. */
static void put_name(uint32_t index, const char *name, FILE *to)
{
	fprintf(to, "function f%u:", index);
	for (const char *c = name; *c; c++)
		fputc(isalnum((unsigned char)*c) || strchr("_.$", *c) ? *c : '?', to);
}

static void put_insn(const struct jf_insn *insn, FILE *to)
{
	uint16_t off = (uint16_t)insn->off;
	uint32_t imm = (uint32_t)insn->imm;

	fprintf(to, "insn %02x%02x%02x%02x%02x%02x%02x%02x\n", insn->opcode, insn->regs, off & 0xff, off >> 8,
		imm & 0xff, imm >> 8 & 0xff, imm >> 16 & 0xff, imm >> 24);
}

static int put_function(const struct kernel_jit *jit, const struct listing *listing, uint32_t index,
			struct kernel_function *function, FILE *to)
{
	const struct jf_image_function *f = jf_image_function_at(listing->image, index);
	const struct jf_frame_spec *spec = &f->frame->spec;
	struct rewritten rewritten;
	int status = kernel_rewrite(jit, listing, index, &rewritten);

	if (status == 0) {
		put_name(index, f->name, to);
		fprintf(to, " stack=%u out-args=%u%s%s%s", rewritten.stack, spec->out_args,
			spec->role == JF_ROLE_BOUNDARY ? " boundary" : "",
			spec->role == JF_ROLE_CALLBACK ? " callback" : "",
			has_tail_calls(listing->source, index) ? " tail-calls" : "");
		if (spec->private_stack)
			fprintf(to, " private-stack=%" PRIx64, jit->private_stack_address + f->private_stack_off);
		fputs("\n", to);
		for (uint32_t i = 0; i < rewritten.count; i++)
			put_insn(&rewritten.insns[i], to);
		function->start = rewritten.start;
		function->source_count = rewritten.source_count;
		function->calls = rewritten.calls;
		rewritten.start = NULL;
	}
	rewritten_free(&rewritten);
	return status;
}

static void put_kfuncs(const struct kernel_jit *jit, const struct jf_program *program, FILE *to)
{
	for (uint32_t i = 0; i < program->kfunc_count; i++) {
		const struct jf_import *kfunc = &program->kfuncs[i];

		fprintf(to, "kfunc %" PRId32 " %u%s", (int32_t)(BUNDLE_CALL_KFUNC(i) + jit->shift), kfunc->result.bytes,
			kfunc->result.is_signed ? "s" : "");
		for (unsigned int k = 0; k < JF_ARGS_MAX && kfunc->args[k].bytes; k++)
			fprintf(to, " %u%s", kfunc->args[k].bytes, kfunc->args[k].is_signed ? "s" : "");
		fputs("\n", to);
	}
}

/* The program's functions, and the default callback; stubs are our convention's own. */
static uint32_t count_functions(const struct jf_image *image)
{
	uint32_t count = 0;

	while (count < image->function_count && !jf_image_function_at(image, count)->is_stub)
		count++;
	return count;
}

static int put_program(const struct kernel_jit *jit, const struct listing *listing, uint32_t count,
		       struct kernel_code *code, FILE *to)
{
	bool uses_arena = false;
	int status = 0;

	for (uint32_t i = 0; i < count; i++)
		uses_arena |= jf_image_function_at(listing->image, i)->frame->spec.arena;
	fprintf(to, "base %" PRIx64 "\n", jit->base + jit->shift);
	if (uses_arena)
		fprintf(to, "arena %" PRIx64 " %" PRIx64 "\n", jit->arena_base, listing->source->arena_user_base);
	put_kfuncs(jit, listing->source, to);
	for (uint32_t i = 0; status == 0 && i < count; i++)
		status = put_function(jit, listing, i, &code->functions[i], to);
	return status;
}

/* ---- compiling ---------------------------------------------------------------------------------------------- */

/*
 * What the JIT was told of a function. Our compiler calls every helper, so that more functions of it call something. It
 * keeps the count of a program's tail calls in the callback, too: Linux tells the JIT that a callback reaches none, and
 * frames that keep a count's address have no slots for it then.
 */
static struct jf_frame_spec told_spec(const struct listing *listing, uint32_t index, bool calls)
{
	struct jf_frame_spec spec = jf_image_function_at(listing->image, index)->frame->spec;

	if (spec.role == JF_ROLE_CALLBACK && listing->image->conv->count_form != JF_COUNT_BY_VALUE)
		spec.tail_calls = has_tail_calls(listing->source, index);
	spec.leaf = !calls;
	return spec;
}

/* Its flags for boundary and callback mean nothing to such a JIT. */
static void warn_of_exceptions(struct kernel_jit *jit, const struct listing *listing)
{
	if (jit->exceptions || jit->warned || listing->image->callback < 0)
		return;
	jit->warned = true;
	cli_warn("the JIT of Linux %s for %s has no exceptions: boundary and callback are not told apart", jit->tree,
		 jit->arch);
}

int kernel_jit_compile(struct kernel_jit *jit, const struct listing *listing, struct kernel_code *code)
{
	uint32_t count = count_functions(listing->image);
	char *text = NULL, *answer = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int status;

	*code = (struct kernel_code){.functions = calloc(count, sizeof(*code->functions))};
	status = to && code->functions ? put_program(jit, listing, count, code, to) : cli_failed("no memory");
	warn_of_exceptions(jit, listing);
	if (to && fclose(to) != 0 && status == 0)
		status = cli_failed("no memory");
	if (status == 0)
		status = kernel_process(jit->program, NULL, text, size, &answer);
	if (status == 0)
		status = kernel_answer_read(jit, answer, count, code);
	for (uint32_t i = 0; status == 0 && i < count; i++) {
		const struct jf_image_function *f = jf_image_function_at(listing->image, i);

		code->functions[i].name = strdup(f->name);
		code->functions[i].spec = told_spec(listing, i, code->functions[i].calls);
		if (!code->functions[i].name)
			status = cli_failed("no memory");
	}
	/* What a JIT refuses has parts too, for kernel_code_free(). */
	code->count = code->functions ? count : 0;
	free(answer);
	free(text);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

/* Reading the program: docs/kernel-jit.md has the lines. */

struct program program;
static u32 line_number;

void refuse(const char *what, const char *word)
{
	printf("error line %u: %s%s%s\n", line_number, what, word ? ": " : "", word ? word : "");
	exit(2);
}

static void *grow(void *old, size_t count, size_t bytes)
{
	void *larger = realloc(old, (count + 1) * bytes);

	if (!larger)
		refuse("no memory", NULL);
	memset((char *)larger + count * bytes, 0, bytes);
	return larger;
}

static u64 number(const char *word, int base)
{
	char *end = NULL;
	u64 value;

	if (!word || !*word)
		refuse("a number is missing", NULL);
	errno = 0;
	value = strtoull(word, &end, base);
	if (*end || errno)
		refuse("not a number", word);
	return value;
}

/* ---- lines ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} flags[] = {
	{"boundary", offsetof(struct function, boundary)},     {"callback", offsetof(struct function, callback)},
	{"tail-calls", offsetof(struct function, tail_calls)}, {"zext", offsetof(struct function, zext)},
	{"classic", offsetof(struct function, classic)},
};

static void read_flag(struct function *function, const char *word)
{
	if (strncmp(word, "stack=", 6) == 0) {
		function->stack = (u32)number(word + 6, 10);
		return;
	}
	if (strncmp(word, "out-args=", 9) == 0) {
		function->out_args = (u32)number(word + 9, 10);
		return;
	}
	if (strncmp(word, "at=", 3) == 0) {
		function->at = number(word + 3, 16);
		return;
	}
	if (strncmp(word, "private-stack=", 14) == 0) {
		function->private_stack = number(word + 14, 16);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(word, flags[i].name) == 0) {
			*((bool *)((char *)function + flags[i].offset)) = true;
			return;
		}
	}
	refuse("unknown flag", word);
}

static void read_function(char *name)
{
	struct function *function;

	if (!name)
		refuse("a function has no name", NULL);
	/* The number of a called function is kept in the 16 bits of an instruction's offset. */
	if (program.function_count == S16_MAX)
		refuse("too many functions", name);
	program.functions = grow(program.functions, program.function_count, sizeof(*program.functions));
	function = &program.functions[program.function_count++];
	snprintf(function->name, sizeof(function->name), "%s", name);
	for (char *word; (word = strtok(NULL, " \n"));)
		read_flag(function, word);
}

/* 16 digits: the bytes in the order of memory. */
static void read_insn(const char *word)
{
	struct function *function;
	u8 *bytes;

	if (!program.function_count || !word || strlen(word) != 16)
		refuse("not an instruction of a function", word);
	function = &program.functions[program.function_count - 1];
	if (function->count + 2 > function->capacity) {
		function->capacity = 2 * function->capacity + 64;
		function->insns = realloc(function->insns, function->capacity * sizeof(*function->insns));
		if (!function->insns)
			refuse("no memory", NULL);
	}
	bytes = (u8 *)&function->insns[function->count++];
	for (int i = 0; i < 8; i++)
		if (sscanf(word + 2 * i, "%2hhx", &bytes[i]) != 1)
			refuse("not an instruction", word);
}

static void read_feature(const char *word)
{
	bool off = word && *word == '-';

	for (size_t i = 0; word && i < ARRAY_SIZE(kernel_jit_feature_names); i++) {
		if (strcmp(word + off, kernel_jit_feature_names[i]) != 0)
			continue;
		kernel_jit_features &= ~(1ULL << i);
		kernel_jit_features |= (u64)!off << i;
		return;
	}
	refuse("no such feature", word);
}

/* "imm result args...": sizes in bytes, with s behind a signed one. */
static void read_kfunc(const char *word)
{
	struct core_model *model;

	core_models = grow(core_models, core_model_count, sizeof(*core_models));
	model = &core_models[core_model_count++];
	model->imm = (s32)(s64)number(word, 10);
	for (int i = -1; (word = strtok(NULL, " \n")); i++) {
		u8 size = (u8)(word[0] - '0'), flag = strchr(word, 's') ? BTF_FMODEL_SIGNED_ARG : 0;

		if (i >= MAX_BPF_FUNC_ARGS)
			refuse("a kfunc has too many arguments", NULL);
		if (i < 0) {
			model->model.ret_size = size;
			continue;
		}
		model->model.nr_args = (u8)(i + 1);
		model->model.arg_size[i] = size;
		model->model.arg_flags[i] = flag;
	}
}

void program_read(void)
{
	char *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) > 0) {
		char *key = strtok(line, " \n");

		line_number++;
		if (!key || *key == '#')
			continue;
		if (strcmp(key, "insn") == 0) {
			read_insn(strtok(NULL, " \n"));
		} else if (strcmp(key, "function") == 0) {
			read_function(strtok(NULL, " \n"));
		} else if (strcmp(key, "feature") == 0) {
			read_feature(strtok(NULL, " \n"));
		} else if (strcmp(key, "base") == 0) {
			core_base = number(strtok(NULL, " \n"), 16);
		} else if (strcmp(key, "time") == 0) {
			program.timed = (u32)number(strtok(NULL, " \n"), 10);
		} else if (strcmp(key, "kfunc") == 0) {
			read_kfunc(strtok(NULL, " \n"));
		} else if (strcmp(key, "arena") == 0) {
			program.has_arena = true;
			core_arena.kernel_base = number(strtok(NULL, " \n"), 16);
			core_arena.user_base = number(strtok(NULL, " \n"), 16);
		} else {
			refuse("unknown line", key);
		}
	}
	free(line);
	if (!program.function_count)
		refuse("there is no function", NULL);
}

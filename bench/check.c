/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * How long jf_check() and jf_check_rows() take for a boundary of 4,096 BPF instructions, an eighth of them calls, a
 * quarter jumps, half of these backwards, so that there is much to be followed more than once; per 1,000 instructions
 * of the machine. Then how long `jitframe rows verify` takes for a large library.
 */

#include "measure.h"

#include <fcntl.h>
#include <jitframe/jitframe.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSNS      4096
#define CODE_BYTES (1 << 18)
#define ROWS       256

struct work {
	struct jf_check_input input;
	struct jf_check_report report;
};

static uint32_t state = 1;

static uint32_t random32(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

static struct jf_insn any(uint32_t index)
{
	uint8_t dst = (uint8_t)(random32() % 10), src = (uint8_t)(random32() % 10);
	int32_t span = 1 + (int32_t)(random32() % 40), off = random32() % 2 ? span : -span;

	switch (random32() % 8) {
	case 0: return (struct jf_insn){0x85, 0, 0, 0};
	case 1:
	case 2:
		if ((int64_t)index + 1 + off < 0 || (int64_t)index + 1 + off >= INSNS)
			off = 0;
		return (struct jf_insn){0x25, dst, (int16_t)off, 5};
	case 3:
		return (struct jf_insn){0x7b, (uint8_t)(10 | src << 4), (int16_t)(-8 * (1 + (int)(random32() % 60))),
					0};
	default: return (struct jf_insn){0x0f, (uint8_t)(dst | src << 4), 0, 0};
	}
}

static void fail(const struct jf_error *error)
{
	bench_fail("%s: %s", error->where, error->text);
}

static void check(void *arg)
{
	struct work *w = arg;
	struct jf_error error;

	if (jf_check(&w->input, &w->report, &error) != JF_OK)
		fail(&error);
}

static void find_rows(void *arg)
{
	static struct jf_row rows[ROWS];
	struct jf_slot slots[32];
	size_t row_count = ROWS, slot_count = 32;
	struct work *w = arg;
	struct jf_error error;

	if (jf_check_rows(&w->input, rows, &row_count, slots, &slot_count, &error) != JF_OK)
		fail(&error);
}

static void measure_both(const struct jf_convention *conv, const struct jf_program *program, uint8_t *bytes)
{
	struct work w = {.input = JF_CHECK_INPUT_INIT};
	struct jf_error error = {0};
	const struct jf_image_function *f;
	struct jf_image *image;
	char target[64];

	if (jf_compile(conv, program, NULL, bytes, CODE_BYTES, 0x10000, &image, &error) != JF_OK)
		fail(&error);
	f = jf_image_function_at(image, 0);
	w.input.conv = conv;
	w.input.bytes = bytes;
	w.input.byte_count = f->size_bytes;
	w.input.address = image->address;
	w.report.size = sizeof(w.report);
	w.input.spec = f->frame->spec;
	memcpy(w.input.marks, f->marks, sizeof(w.input.marks));
	w.input.rows = f->rows;
	w.input.row_count = f->row_count;
	w.input.slots = f->frame->slots;
	w.input.slot_count = f->frame->slot_count;
	check(&w);
	snprintf(target, sizeof(target), "%s/%s", conv->backend->name, conv->name);
	{
		double units = 1e6 * (double)w.report.insn_count / 1000;
		const struct bench_side sides[] = {
			{"jitframe, check", check, &w, units},
			{"jitframe, rows", find_rows, &w, units},
		};

		bench_turns(target, sides, COUNT(sides));
	}
	jf_image_free(image);
}

/* ---- rows verify ------------------------------------------------------------------------------------------- */

static void verify(void *arg)
{
	char *const words[] = {BENCH_JITFRAME, "rows", "verify", arg, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, words[0], &actions, NULL, words, environ) || waitpid(pid, &status, 0) != pid ||
	    !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		bench_fail("%s rows verify %s failed", words[0], words[3]);
	posix_spawn_file_actions_destroy(&actions);
}

/* Once: seconds, of which a second run would take as many. */
static void measure_verify(void)
{
	const char *path = bench_large_file();
	const struct bench_side side = {"jitframe", verify, (void *)(uintptr_t)path, 1e9};
	double *sample;

	if (!path || access(BENCH_JITFRAME, X_OK)) {
		bench_missing("jitframe rows verify: %s", path ? BENCH_JITFRAME : "no file to verify");
		return;
	}
	/* Another process works. */
	bench_count_waiting();
	bench_table("jitframe rows verify", "file", "s");
	sample = bench_samples(&side, 1, 1);
	bench_add(strrchr(path, '/') + 1, side.who, sample, 1, sample);
	free(sample);
}

int main(int argc, char **argv)
{
	static struct jf_insn insns[INSNS];
	static uint8_t bytes[CODE_BYTES];
	const struct jf_function function = {"main", insns, INSNS};
	const struct jf_import import = {.name = "helper", .address = 0x1000, .throws = true};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .helpers = &import,
					   .helper_count = 1};
	const struct jf_backend *backend;

	bench_begin(argc, argv, "check");
	for (uint32_t i = 0; i + 1 < INSNS; i++)
		insns[i] = any(i);
	insns[INSNS - 1].opcode = 0x95;
	bench_table("A function, followed on every path", "convention", "ms for 1,000 instructions");
	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		for (unsigned int k = 0; k < backend->convention_count && backend->decode; k++)
			measure_both(backend->conventions[k], &program, bytes);
	measure_verify();
	return bench_end();
}

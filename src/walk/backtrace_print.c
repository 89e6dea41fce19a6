/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sized.h"
#include "walk/backtrace.h"
#include "walk/here.h"

#include <errno.h>
#include <unistd.h>

/* Backtraces as they go to a file descriptor: no memory but the stack's, no stdio. */

#define LINE_MAX_BYTES 1024
/* Of a throw that nothing catches, where nobody has said how many. */
#define UNCAUGHT_FRAMES 64

static void write_text(int fd, const struct text *text)
{
	size_t count = text->length < text->capacity ? text->length : text->capacity - 1;
	const char *at = text->at;

	while (count) {
		ssize_t written = write(fd, at, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		at += written;
		count -= (size_t)written;
	}
}

/* A line that was cut still ends. */
static void end_line(struct text *text)
{
	if (text->length >= text->capacity)
		text->at[text->capacity - 2] = '\n';
}

static void print_frame(int fd, const struct walk *walk, unsigned int number, const struct jf_backtrace_opts *opts)
{
	char line[LINE_MAX_BYTES];
	struct text text = text_begin(line, sizeof(line));

	jf_backtrace_put(&text, walk, number, opts);
	end_line(&text);
	write_text(fd, &text);
}

static void print_end(int fd, enum jf_status status, uint64_t address)
{
	char line[LINE_MAX_BYTES];
	struct text text = text_begin(line, sizeof(line));

	text_put(&text, "  the walk ends here: ");
	text_put(&text, jf_status_text(status));
	if (address) {
		text_put(&text, " (");
		text_hex(&text, address);
		text_char(&text, ')');
	}
	text_char(&text, '\n');
	write_text(fd, &text);
}

/* From where the walk stands on. */
static enum jf_status print_frames(int fd, struct walk *walk, const struct jf_backtrace_opts *opts)
{
	enum jf_status status = JF_OK;
	unsigned int number = 0;
	uint64_t pc, sp;

	do {
		print_frame(fd, walk, number++, opts);
		if (number == opts->frames_max)
			return JF_END;
		pc = walk->frame.pc;
		sp = walk_sp(walk);
		status = jf_walk_next_past_entry(walk);
	} while (status == JF_OK);
	if (status == JF_END)
		return status;
	/* A step that got to a frame and no further: the frame is there all the same. */
	if (walk->frame.pc != pc || walk_sp(walk) != sp)
		print_frame(fd, walk, number, opts);
	print_end(fd, status, walk->frame.fail_address);
	return status;
}

static enum jf_status read_opts(struct jf_backtrace_opts *opts, const struct jf_backtrace_opts *in)
{
	static const struct jf_backtrace_opts none = {.size = sizeof(none)};

	return jf_sized_read(opts, sizeof(*opts), offsetof(struct jf_backtrace_opts, flags), in ? in : &none, "opts",
			     NULL);
}

enum jf_status jf_backtrace_print_walk(struct jf_walk *walk, int fd, const struct jf_backtrace_opts *in)
{
	struct walk *inside = walk_inside(walk);
	struct jf_backtrace_opts opts;
	int kept = errno;
	enum jf_status status;

	if (!walk || !inside->has_section || read_opts(&opts, in) != JF_OK ||
	    (opts.conv && opts.conv->backend != inside->backend))
		return JF_E_INVAL;
	status = print_frames(fd, inside, &opts);
	errno = kept;
	return status;
}

/* The first frame of the walk is this function's: it must not become a part of its caller. */
__attribute__((noinline)) enum jf_status jf_backtrace_print(int fd, const struct jf_backtrace_opts *in)
{
	struct jf_backtrace_opts opts;
	int kept = errno;
	struct jf_walk walk;
	enum jf_status status;

	if (read_opts(&opts, in) != JF_OK || (opts.conv && opts.conv->backend != jf_backend_host()))
		return JF_E_INVAL;
	status = jf_walk_here(&walk, NULL);
	if (status == JF_OK)
		status = jf_walk_step(&walk);
	if (status == JF_OK)
		status = print_frames(fd, walk_inside(&walk), &opts);
	else
		print_end(fd, status, jf_walk_at(&walk)->fail_address);
	jf_walk_end(&walk);
	errno = kept;
	return status;
}

/* ---- a throw that nothing catches -------------------------------------------------------------------- */

static void put_cookie(struct text *text, uint64_t cookie)
{
	text_dec(text, cookie);
	text_put(text, " (");
	text_hex(text, cookie);
	text_char(text, ')');
}

static void print_cookie(uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	char line[LINE_MAX_BYTES];
	struct text text = text_begin(line, sizeof(line));
	uint64_t other;

	text_put(&text, "jitframe: nothing catches a BPF exception, cookie ");
	put_cookie(&text, cookie);
	text_put(&text, ": ");
	text_put(&text, jf_status_text(why));
	if (why == JF_E_IN_PAD && jf_walk_cleanup(walk, &other)) {
		text_put(&text, ", cookie ");
		put_cookie(&text, other);
	}
	text_char(&text, '\n');
	write_text(STDERR_FILENO, &text);
}

/* The walk of the throw has gone by its frames: another one shows them, from the same start. */
static void print_thrown(const struct walk *ended, const struct jf_backtrace_opts *opts)
{
	const struct walk_start *start = ended->start;
	unsigned int section;
	struct walk walk;
	enum jf_status status;

	section = jf_code_map_enter();
	status = jf_walk_first(&walk, ended->backend, &start->memory, start->regs, start->pc, true, NULL);
	if (status == JF_OK)
		(void)print_frames(STDERR_FILENO, &walk, opts);
	else
		print_end(STDERR_FILENO, status, start->pc);
	jf_code_map_leave(section);
}

void jf_uncaught_print(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	const struct walk *inside = (const struct walk *)walk;
	struct jf_backtrace_opts opts;

	print_cookie(cookie, walk, why);
	if (read_opts(&opts, arg) != JF_OK)
		(void)read_opts(&opts, NULL);
	if (!opts.frames_max)
		opts.frames_max = UNCAUGHT_FRAMES;
	if (walk && inside->start)
		print_thrown(inside, &opts);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "conventions.h"
#include "llvm.h"
#include "sample.h"
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * The frames of every convention, drawn, and their code: hexadecimal, as LLVM reads it, and the unwind rows
 * beside it, against tests/golden/ARCH/CONVENTION.txt. After a change that is wanted, write those files anew and
 * read what `git diff` says:
 *
 *     JF_REBASE=1 meson test -C build/native golden
 *
 * A case is its title (sample.h). These are there for every convention; a file may have others behind
 * them, for which a line "==== TITLE" is put there and the file written anew.
 */
static const char *const common[] = {
	"main, nothing used",
	"main, R6 R7 R8 R9, stack 64",
	"main, R7 R10, hardened",
	"main, R7 R10, landing pads",
	"main, R6, tail calls, stack 16",
	"main, R6 R7, arena, stack 24",
	"main, R9, private stack 48",
	"main, R6, stack 8, 5 outgoing arguments",
	"main, the largest stack",
	"subprogram, R6 R8, tail calls, stack 24",
	"boundary, stack 16",
	"boundary, tail calls, arena, stack 512",
	"callback, nothing used",
	"callback, tail calls, arena, stack 40",
	"callback, hardened, stack 8",
};
#define COMMON (sizeof(common) / sizeof(common[0]))

#define CODE_BYTES 4096
#define ROWS       256

struct sink {
	struct jf_code code;
	uint8_t bytes[CODE_BYTES];
	struct jf_row rows[ROWS];
	struct llvm llvm;
};

/* Columns of a line of code: "    1c  a9bf6bff  stp xzr, x26, [sp, #-16]!           | CFA=x29+16". */
#define HEX_AT     8
#define WORD_CHARS 8
#define BYTE_CHARS 29 /* 10 bytes */
#define TEXT_CHARS 34

/* What a row says that the one before did not. */
static void add_change(struct text *out, const struct jf_frame *frame, const struct jf_row *old,
		       const struct jf_row *row)
{
	const struct jf_reg *regs = frame->conv->backend->regs;

	if (!old || old->cfa_reg != row->cfa_reg || old->cfa_off != row->cfa_off)
		text_add(out, " CFA=%s%+d", regs[row->cfa_reg].name, row->cfa_off);
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		bool was = old && old->saved >> i & 1, is = row->saved >> i & 1;

		if (is && !was)
			text_add(out, " %s@%d", regs[frame->slots[i].reg].name, frame->slots[i].off_from_cfa);
		else if (was && !is)
			text_add(out, " %s", regs[frame->slots[i].reg].name);
	}
	if (row->flags & JF_ROW_RA_SIGNED && !(old && old->flags & JF_ROW_RA_SIGNED))
		text_add(out, " signed");
	if (old && old->flags & JF_ROW_RA_SIGNED && !(row->flags & JF_ROW_RA_SIGNED))
		text_add(out, " not signed");
	if (row->flags & JF_ROW_REGS_LOST && !(old && old->flags & JF_ROW_REGS_LOST))
		text_add(out, " others lost");
	if (old && old->flags & JF_ROW_REGS_LOST && !(row->flags & JF_ROW_REGS_LOST))
		text_add(out, " others kept");
}

static bool in_words(const struct jf_convention *conv)
{
	return conv->backend->insn_align == 4;
}

static unsigned int hex_chars(const struct jf_convention *conv)
{
	return in_words(conv) ? WORD_CHARS : BYTE_CHARS;
}

/* How long the instruction at `at` is: as our decoder has it, and LLVM does not contradict. */
static size_t read_insn(struct sink *sink, const struct jf_convention *conv, size_t at)
{
	const uint8_t *bytes = sink->bytes + at;
	size_t left = sink->code.size - at, size;
	struct jf_effect effect;

	cr_assert_eq(jf_decode(conv->backend, bytes, left, &effect), JF_OK, "+%zx is no instruction", at);
	sink->llvm.text[0] = '\0';
	if (sink->llvm.context) {
		size = llvm_read(&sink->llvm, bytes, left);
		cr_assert_eq(size, effect.size_bytes, "+%zx: LLVM reads %zu bytes", at, size);
	}
	return effect.size_bytes;
}

/* An instruction: a word where all are words, else bytes. */
static void add_bytes(struct text *out, const uint8_t *bytes, size_t count, const struct jf_convention *conv)
{
	char hex[3 * JF_INSN_BYTES_MAX + 1] = "";

	for (size_t i = 0; i < count; i++)
		snprintf(hex + (in_words(conv) ? 2 : 3) * i, 4, in_words(conv) ? "%02x" : "%02x ",
			 bytes[in_words(conv) ? count - 1 - i : i]);
	text_add(out, "%-*s", (int)hex_chars(conv), hex);
}

static void add_code(struct text *out, const struct jf_frame *frame, struct sink *sink)
{
	const struct jf_code *code = &sink->code;
	const struct jf_row *old = NULL;
	size_t row = 0, size;

	for (size_t at = 0; at < code->size; at += size) {
		if (code->marks[JF_MARK_TAIL_ENTRY] == at)
			text_add(out, "  tail-call entry:\n");
		size = read_insn(sink, frame->conv, at);
		text_add(out, "%6zx  ", at);
		add_bytes(out, sink->bytes + at, size, frame->conv);
		text_add(out, "  %-*s", TEXT_CHARS, sink->llvm.text);
		if (row < code->row_count && sink->rows[row].code_off == at) {
			text_add(out, " |");
			add_change(out, frame, old, &sink->rows[row]);
			old = &sink->rows[row++];
		}
		text_trim(out);
		text_add(out, "\n");
	}
	cr_assert_eq(row, code->row_count, "row %zu is within an instruction", row);
	if (code->marks[JF_MARK_TAIL_ENTRY] == code->size)
		text_add(out, "  tail-call entry:\n");
}

static void add_part(struct text *out, struct sink *sink, const struct jf_frame *frame, enum jf_part part,
		     const struct jf_values *values)
{
	static const char *const titles[] = {
		[JF_PART_PROLOGUE] = "prologue",
		[JF_PART_EPILOGUE] = "epilogue",
		[JF_PART_TAIL_EXIT] = "tail exit",
	};
	enum jf_status status;

	jf_code_init(&sink->code, sink->bytes, CODE_BYTES, 0, sink->rows, ROWS);
	status = jf_frame_emit(&sink->code, frame, part, values);
	if (part == JF_PART_TAIL_EXIT && status == JF_E_UNSUPPORTED)
		return;
	cr_assert_eq(status, JF_OK, "%s: %s", titles[part], jf_status_name(status));
	if (part == JF_PART_PROLOGUE)
		cr_assert_eq(sink->code.marks[JF_MARK_BODY], sink->code.size);
	text_add(out, " %s\n", titles[part]);
	add_code(out, frame, sink);
}

static void add_sample(struct text *out, struct sink *sink, const struct jf_convention *conv, const char *title)
{
	struct jf_error error = {0};
	struct sample sample;
	struct jf_frame frame;
	char drawing[4096];
	const char *wrong = sample_read(title, conv, &sample);
	enum jf_status status;

	cr_assert_null(wrong, "%s/%s.txt: \"==== %s\": \"%s\" is none of the words in sample.h", conv->backend->name,
		       conv->name, title, wrong);
	text_add(out, "\n==== %s\n", title);
	status = jf_frame_solve(conv, &sample.spec, &frame, &error);
	if (status != JF_OK) {
		text_add(out, "%s: %s: %s\n", jf_status_name(status), error.where, error.text);
		return;
	}
	cr_assert_lt((size_t)jf_frame_text(&frame, drawing, sizeof(drawing)), sizeof(drawing));
	text_add(out, "%s", drawing);
	add_part(out, sink, &frame, JF_PART_PROLOGUE, &sample.values);
	add_part(out, sink, &frame, JF_PART_EPILOGUE, &sample.values);
	add_part(out, sink, &frame, JF_PART_TAIL_EXIT, &sample.values);
}

static bool is_common(const char *title)
{
	for (size_t i = 0; i < COMMON; i++)
		if (strcmp(common[i], title) == 0)
			return true;
	return false;
}

/* before: the file as it is, for the titles that it alone has. */
static void build(struct text *out, struct sink *sink, const struct jf_convention *conv, const char *before)
{
	text_add(
		out,
		"%s/%s: %s\n"
		"\n"
		"Written by tests/golden/golden.c, which says how to write it anew. Code as hexadecimal %s and as LLVM "
		"reads\nit; right of the bar what the unwind row says from there on: where the CFA is, registers that "
		"are in memory\nnow (reg@offset) and those that are back (reg).\n",
		conv->backend->name, conv->name, conv->summary, in_words(conv) ? "words" : "bytes");
	for (size_t i = 0; i < COMMON; i++)
		add_sample(out, sink, conv, common[i]);
	for (const char *at = strstr(before, "\n==== "); at; at = strstr(at + 1, "\n==== ")) {
		char title[256];

		snprintf(title, sizeof(title), "%.*s", (int)strcspn(at + 6, "\n"), at + 6);
		if (!is_common(title))
			add_sample(out, sink, conv, title);
	}
}

/* The text without LLVM's column. */
static void drop_mnemonics(struct text *text, unsigned int hex)
{
	struct text kept = {0};

	text_add(&kept, "%s", "");
	for (const char *line = text->chars; *line;) {
		size_t length = strcspn(line, "\n"), head = HEX_AT + hex;
		const char *bar = memchr(line, '|', length);

		if (length > HEX_AT && line[HEX_AT - 1] == ' ' && line[HEX_AT - 2] == ' ' &&
		    isxdigit(line[HEX_AT - 3])) {
			text_add(&kept, "%.*s", (int)(length < head ? length : head), line);
			if (bar)
				text_add(&kept, " %.*s", (int)(length - (size_t)(bar - line)), bar);
		} else {
			text_add(&kept, "%.*s", (int)length, line);
		}
		text_trim(&kept);
		text_add(&kept, "\n");
		line += length + (line[length] == '\n');
	}
	text_free(text);
	*text = kept;
}

static void rebase(const struct text *out, const char *folder, const struct jf_convention *conv, const char *path)
{
	char arch[512];

	snprintf(arch, sizeof(arch), "%s/%s", folder, conv->backend->name);
	mkdir(arch, 0777);
	cr_assert(text_write(out, path), "%s cannot be written", path);
}

ALL_CONVENTIONS(golden, frames_and_code_are_as_they_were)
{
	static struct sink sink;
	const struct jf_convention *conv = convention_at(*index);
	const char *folder = getenv("JF_GOLDEN_DIR");
	struct text before = {0}, after = {0}, diff = {0};
	char path[1024];
	bool is_there, has_llvm = llvm_open(&sink.llvm, conv->backend->llvm_triple, conv->backend->llvm_features);

	cr_assert_not_null(folder, "JF_GOLDEN_DIR is not set: run by `meson test`");
	snprintf(path, sizeof(path), "%s/%s/%s.txt", folder, conv->backend->name, conv->name);
	is_there = text_read(&before, path);
	build(&after, &sink, conv, before.chars);
	if (getenv("JF_REBASE")) {
		cr_assert(has_llvm, "the files have mnemonics by LLVM, which has no %s here", conv->backend->name);
		rebase(&after, folder, conv, path);
	} else {
		cr_assert(is_there, "there is no %s/%s.txt: see golden.c", conv->backend->name, conv->name);
		if (!has_llvm) {
			fprintf(stderr, "LLVM has no %s here: mnemonics are not compared\n", conv->backend->name);
			drop_mnemonics(&before, hex_chars(conv));
			drop_mnemonics(&after, hex_chars(conv));
		}
		text_diff(&diff, before.chars, after.chars, 20);
		cr_assert_eq(diff.length, 0, "%s/%s.txt differs:\n%s", conv->backend->name, conv->name, diff.chars);
	}
	if (has_llvm)
		llvm_fini(&sink.llvm);
	text_free(&before);
	text_free(&after);
	text_free(&diff);
}

/* ---- the diff itself ----------------------------------------------------------------------------------- */

static void check_diff(const char *before, const char *after, const char *wanted)
{
	struct text diff = {0};

	text_add(&diff, "%s", "");
	text_diff(&diff, before, after, 3);
	cr_assert_str_eq(diff.chars, wanted);
	text_free(&diff);
}

Test(golden, differences_are_shown)
{
	check_diff("", "", "");
	check_diff("a\nb\n", "a\nb\n", "");
	check_diff("a\nb\nc\n", "a\nx\nc\n", "@@ line 2 @@\n a\n-b\n+x\n");
	check_diff("a\nb\nc\n", "a\nc\n", "@@ line 2 @@\n a\n-b\n");
	check_diff("a\nc\n", "a\nb\nc\n", "@@ line 2 @@\n a\n+b\n");
	check_diff("a\n", "a\nb\n", "@@ line 2 @@\n a\n+b\n");
	check_diff("", "b\n", "@@ line 1 @@\n+b\n");
	check_diff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nx\n6\n", "@@ line 5 @@\n 2\n 3\n 4\n-5\n+x\n");
	check_diff("a\nb\nc\nd\ne\n", "", "@@ line 1 @@\n-a\n-b\n-c\n-...\n");
}

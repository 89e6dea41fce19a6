/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/backtrace.h>

#include "base/bytes.h"
#include "base/sized.h"
#include "walk/backtrace.h"

#include <jitframe/backend.h>
#include <jitframe/describe.h>

#include <dlfcn.h>

/* What there is to say of one frame. */

static bool is_bpf_function(const struct jf_range *range)
{
	return range->kind != JF_RANGE_STUB && !range_is_c(range);
}

/* Where the code map, FDEs and line tables are asked: in the call of a return address (R17). */
static uint64_t asked_address(const struct jf_walk_frame *at)
{
	return at->pc_is_return ? at->pc - 1 : at->pc;
}

static void describe_range(const struct jf_walk_frame *at, struct jf_backtrace_frame *frame)
{
	const struct jf_range *range = at->range;
	struct jf_source source;

	frame->kind = jf_range_kind_name(range->kind);
	frame->name = range->name;
	frame->offset = at->pc - range->start;
	if (jf_range_source(range, asked_address(at), &source) != JF_OK)
		return;
	frame->insn = (int32_t)source.insn;
	if (!source.line)
		return;
	frame->file = source.line->file;
	frame->line = source.line->line;
	frame->text = source.line->text;
}

static void describe_registers(const struct walk *walk, const struct jf_convention *conv,
			       struct jf_backtrace_frame *frame)
{
	for (unsigned int i = 0; conv && i < JF_BACKTRACE_REGS; i++) {
		unsigned int reg = conv->bpf_reg[JF_BPF_R6 + i];

		if (reg >= walk->backend->reg_count || !walk_is_known(walk, reg))
			continue;
		frame->known |= (uint8_t)(1U << i);
		frame->regs[i] = walk->regs.value[reg];
	}
}

/* The nearest symbol that its object exports, when it lies in the same function: static functions have none. */
static void name_c_function(const struct jf_walk_frame *at, struct jf_backtrace_frame *frame)
{
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)asked_address(at), &info) || !info.dli_sname ||
	    (at->function && (uintptr_t)info.dli_saddr < at->function->start))
		return;
	frame->name = info.dli_sname;
	frame->offset = at->pc - (uintptr_t)info.dli_saddr;
}

static void describe(const struct walk *walk, uint32_t flags, const struct jf_convention *conv,
		     struct jf_backtrace_frame *frame)
{
	const struct jf_walk_frame *at = &walk->frame;
	const struct jf_backend *backend = walk->backend;

	*frame = (struct jf_backtrace_frame){
		.size = sizeof(*frame),
		.guessed = at->guessed,
		.insn = -1,
		.kind = "unknown",
		.pc = at->pc,
		.sp = walk_sp(walk),
		.fp = walk_fp(walk),
	};
	if (at->range) {
		describe_range(at, frame);
		if (is_bpf_function(at->range))
			describe_registers(walk, conv ? conv : backend->conventions[0], frame);
	} else if (at->function || at->orc) {
		frame->kind = "c";
		frame->object = at->name;
		if (flags & JF_BACKTRACE_SYMBOLS && !walk->memory.read && backend == jf_backend_host())
			name_c_function(at, frame);
	}
}

enum jf_status jf_backtrace_describe(const struct jf_walk *walk, uint32_t flags, const struct jf_convention *conv,
				     struct jf_backtrace_frame *out)
{
	const struct walk *inside = (const struct walk *)walk;
	struct jf_backtrace_frame frame;

	if (!walk || !out || !inside->backend ||
	    jf_sized_read(&frame, sizeof(frame), offsetof(struct jf_backtrace_frame, guessed), out, "frame", NULL) !=
		    JF_OK ||
	    (conv && conv->backend != inside->backend))
		return JF_E_INVAL;
	describe(inside, flags, conv, &frame);
	jf_sized_write(out, sizeof(frame), &frame);
	return JF_OK;
}

/* ---- text ------------------------------------------------------------------------------------------ */

#define NUMBER_COLUMNS 4
#define KIND_COLUMNS   11
#define INDENT         "         "

static const char *last_part(const char *path)
{
	const char *part = path;

	for (; *path; path++)
		if (*path == '/' && path[1])
			part = path + 1;
	return part;
}

static char mark_of(const struct jf_backtrace_frame *frame)
{
	if (frame->guessed)
		return '?';
	return strcmp(frame->kind, jf_range_kind_name(JF_RANGE_BOUNDARY)) == 0 ||
			       strcmp(frame->kind, jf_range_kind_name(JF_RANGE_TRY)) == 0 ?
		       '>' :
		       ' ';
}

static void put_place(struct text *text, const struct jf_backtrace_frame *frame)
{
	if (frame->name) {
		text_clean(text, frame->name);
		text_char(text, '+');
		text_hex(text, frame->offset);
	} else {
		text_hex(text, frame->pc);
	}
	if (frame->insn >= 0) {
		text_put(text, " insn ");
		text_dec(text, (uint32_t)frame->insn);
	}
	if (frame->file) {
		text_put(text, " at ");
		text_clean(text, last_part(frame->file));
		text_char(text, ':');
		text_dec(text, frame->line);
	}
	if (frame->object) {
		text_put(text, " in ");
		text_clean(text, *frame->object ? last_part(frame->object) : "the program");
	}
}

static void put_registers(struct text *text, const struct jf_backtrace_frame *frame)
{
	text_put(text, "\n" INDENT);
	for (unsigned int i = 0; i < JF_BACKTRACE_REGS; i++) {
		text_put(text, i ? " R" : "R");
		text_dec(text, JF_BPF_R6 + i);
		text_char(text, '=');
		if (frame->known >> i & 1)
			text_hex(text, frame->regs[i]);
		else
			text_char(text, '?');
	}
}

static void put_source(struct text *text, const char *line)
{
	while (*line == ' ' || *line == '\t')
		line++;
	text_put(text, "\n" INDENT);
	text_clean(text, line);
}

static void put_frame(struct text *text, const struct jf_backtrace_frame *frame, unsigned int number, uint32_t flags)
{
	size_t start;

	text_char(text, mark_of(frame));
	text_put(text, " #");
	start = text->length;
	text_dec(text, number);
	text_char(text, ' ');
	text_pad(text, start, NUMBER_COLUMNS);
	start = text->length;
	text_put(text, frame->kind);
	text_pad(text, start, KIND_COLUMNS);
	put_place(text, frame);
	if (flags & JF_BACKTRACE_ADDRESSES) {
		text_put(text, " pc=");
		text_hex(text, frame->pc);
		text_put(text, " sp=");
		text_hex(text, frame->sp);
		text_put(text, " fp=");
		text_hex(text, frame->fp);
	}
	if (flags & JF_BACKTRACE_SOURCE && frame->text)
		put_source(text, frame->text);
	if (flags & JF_BACKTRACE_REGISTERS && (frame->insn >= 0 || frame->known))
		put_registers(text, frame);
}

int jf_backtrace_text(const struct jf_backtrace_frame *in, unsigned int number, uint32_t flags, char *at,
		      size_t capacity)
{
	struct text text = text_begin(at, at ? capacity : 0);
	struct jf_backtrace_frame frame;

	if (!in || (!at && capacity) ||
	    jf_sized_read(&frame, sizeof(frame), offsetof(struct jf_backtrace_frame, pc), in, "frame", NULL) != JF_OK ||
	    !frame.kind)
		return -1;
	put_frame(&text, &frame, number, flags);
	return (int)text.length;
}

void jf_backtrace_put(struct text *text, const struct walk *walk, unsigned int number,
		      const struct jf_backtrace_opts *opts)
{
	struct jf_backtrace_frame frame;

	describe(walk, opts->flags, opts->conv, &frame);
	put_frame(text, &frame, number, opts->flags);
	text_char(text, '\n');
}

/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-prove-frames ARCH/CONVENTION [N]: the frames of tests/check/frames.c, or one of N, as theorems about frames
 * need them. It prints a line of JSON about the convention, and then one line for each frame: the spec, the solved
 * frame, and the code of prologue, epilogue and tail exit with the rows of each. Offsets of slots are bytes from the
 * CFA, offsets of code are bytes from the part's start; `saved` lists the indices of slots.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>

#include "../check/frames.h"

#define CODE_MAX 4096
#define ROWS_MAX 256

struct batch {
	const struct jf_convention *conv;
	unsigned int count, every;
};

static void quit(const char *what)
{
	fprintf(stderr, "jf-prove-frames: %s\n", what);
	exit(2);
}

static void print(json_t *value)
{
	if (!value || json_dumpf(value, stdout, JSON_COMPACT))
		quit("no answer");
	putchar('\n');
	json_decref(value);
}

static const char *name_of(const struct jf_backend *backend, uint8_t reg)
{
	return reg == JF_REG_NONE ? NULL : backend->regs[reg].name;
}

static json_t *hex(const struct jf_code *code)
{
	char text[2 * CODE_MAX + 1];

	for (size_t i = 0; i < code->size; i++)
		sprintf(text + 2 * i, "%02x", code->bytes[i]);
	text[2 * code->size] = '\0';
	return json_string(text);
}

/* ---- the convention ----------------------------------------------------------------------------- */

static json_t *unsaved(const struct jf_convention *conv)
{
	uint8_t regs[JF_REGS_MAX];
	int count = jf_convention_unsaved(conv, regs, JF_REGS_MAX);
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(list, json_string(conv->backend->regs[regs[i]].name));
	return list;
}

static json_t *convention(const struct jf_convention *conv)
{
	const struct jf_backend *backend = conv->backend;
	json_t *args = json_array();

	for (unsigned int i = 0; i < backend->arg_count; i++)
		json_array_append_new(args, json_string(backend->regs[backend->args[i]].name));
	return json_pack("{s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:s?, s:o, s:o}", "adopts",
			 conv->landing == JF_LANDING_ADOPT, "lands", conv->landing != JF_LANDING_NONE, "cfa_at_entry",
			 backend->cfa_sp_off_at_entry, "red_zone", conv->red_zone_bytes, "frame_align",
			 conv->frame_align, "stack_align", backend->stack_align, "tail_keeps", conv->tail_keeps,
			 "target", backend->build ? name_of(backend, backend->build->target) : NULL, "unsaved",
			 unsaved(conv), "args", args);
}

/* ---- a frame ------------------------------------------------------------------------------------ */

static json_t *rows_of(const struct jf_frame *frame, const struct jf_code *code)
{
	json_t *list = json_array();

	for (size_t i = 0; i < code->row_count; i++) {
		const struct jf_row *row = &code->rows[i];
		json_t *saved = json_array();

		for (int slot = 0; slot < frame->slot_count; slot++)
			if (row->saved & UINT32_C(1) << slot)
				json_array_append_new(saved, json_integer(slot));
		json_array_append_new(list,
				      json_pack("{s:i, s:s, s:i, s:o, s:b, s:b, s:b, s:b}", "off", (int)row->code_off,
						"reg", name_of(frame->conv->backend, row->cfa_reg), "cfa_off",
						row->cfa_off, "saved", saved, "signed", row->flags & JF_ROW_RA_SIGNED,
						"lost", row->flags & JF_ROW_REGS_LOST, "fp_kept",
						row->flags & JF_ROW_FP_KEPT, "unknown", row->flags & JF_ROW_UNKNOWN));
	}
	return list;
}

static json_t *part(const struct jf_frame *frame, enum jf_part which, const struct jf_values *values,
		    uint32_t marks[JF_MARK__COUNT])
{
	uint8_t bytes[CODE_MAX];
	struct jf_row rows[ROWS_MAX];
	struct jf_code code;

	jf_code_init(&code, bytes, sizeof(bytes), 0, rows, ROWS_MAX);
	if (jf_frame_emit(&code, frame, which, values) != JF_OK)
		quit("a frame is refused");
	if (marks)
		memcpy(marks, code.marks, sizeof(code.marks));
	return json_pack("{s:o, s:o}", "code", hex(&code), "rows", rows_of(frame, &code));
}

static json_t *slots_of(const struct jf_frame *frame)
{
	static const char *const kinds[] = {
		[JF_SLOT_RETURN] = "return", [JF_SLOT_SAVE] = "save",       [JF_SLOT_SPILL] = "spill",
		[JF_SLOT_TCC] = "count",     [JF_SLOT_TCC_PTR] = "pointer", [JF_SLOT_PAD] = "pad",
		[JF_SLOT_THROW] = "throw",   [JF_SLOT_BPF_STACK] = "bpf",   [JF_SLOT_OUT_ARGS] = "args",
	};
	json_t *list = json_array();

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		json_array_append_new(list, json_pack("{s:s, s:s?, s:i, s:i}", "kind", kinds[slot->kind], "reg",
						      name_of(frame->conv->backend, slot->reg), "off",
						      slot->off_from_cfa, "bytes", (int)slot->size_bytes));
	}
	return list;
}

static json_t *spec_of(const struct jf_frame_spec *spec)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "role",
			 jf_role_name((enum jf_role)spec->role), "stack", (int)spec->bpf_stack_bytes, "regs",
			 spec->bpf_regs_used, "out_args", spec->out_args, "tail_calls", spec->tail_calls, "arena",
			 spec->arena, "private_stack", spec->private_stack, "landing_pads", spec->landing_pads,
			 "sign_return", spec->sign_return, "cleanups", spec->cleanups, "throws", spec->throws);
}

static int mark_of(uint32_t mark)
{
	return mark == JF_MARK_UNSET ? -1 : (int)mark;
}

static void print_frame(void *arg, const struct jf_frame *frame)
{
	struct batch *batch = arg;
	struct jf_values values = frames_values(batch->count);
	bool has_tail_exit = frame->spec.tail_calls && frame->spec.role != JF_ROLE_CALLBACK;
	uint32_t marks[JF_MARK__COUNT], entry_off = 0;
	json_t *prologue;

	if (batch->count++ % batch->every)
		return;
	prologue = part(frame, JF_PART_PROLOGUE, &values, marks);
	if (has_tail_exit && jf_tail_entry_off(frame->conv, &frame->spec, &entry_off) != JF_OK)
		quit("a tail exit without an entry");
	print(json_pack("{s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:I, s:i, s:i, s:o, s:o, s:o*}", "spec",
			spec_of(&frame->spec), "slots", slots_of(frame), "size", (int)frame->size_bytes, "bpf_stack",
			(int)frame->bpf_stack_bytes, "args_bytes", (int)frame->out_args_bytes, "bpf_fp_off",
			frame->bpf_fp_off_from_cfa, "landing_sp_off", frame->landing_sp_off_from_cfa, "arena_base",
			(json_int_t)values.arena_base, "tail_entry", mark_of(marks[JF_MARK_TAIL_ENTRY]), "entry_off",
			(int)entry_off, "prologue", prologue, "epilogue", part(frame, JF_PART_EPILOGUE, &values, NULL),
			"tail_exit", has_tail_exit ? part(frame, JF_PART_TAIL_EXIT, &values, NULL) : NULL));
}

int main(int argc, char **argv)
{
	struct batch batch = {.every = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 10) : 1};
	struct jf_error error = {0};

	if (argc < 2 || argc > 3 || !batch.every)
		quit("usage: jf-prove-frames ARCH/CONVENTION [N]");
	if (jf_convention_find(argv[1], &batch.conv, &error) != JF_OK)
		quit(error.text);
	print(convention(batch.conv));
	frames_each(batch.conv, print_frame, &batch);
	return fflush(stdout) ? 2 : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jitframe/describe.h>

#include "cli.h"

/*
 * A frame as a picture: one box per slot, highest address on top, offsets on the left, registers that
 * point into the frame on the right.
 */

enum { BOX_LEFT = 90, BOX_WIDTH = 330, ROW = 26, TALL_ROW = 60, TOP = 52, WIDTH = 620 };

static const struct {
	const char *fill;
	const char *kind;
} colours[JF_SLOT__COUNT] = {
	[JF_SLOT_RETURN] = {"#f7c6c5", "frame record"},         [JF_SLOT_SAVE] = {"#cfe2f3", "the caller's register"},
	[JF_SLOT_SPILL] = {"#e4ecf7", "this frame's register"}, [JF_SLOT_TCC] = {"#fce8b2", "tail-call count"},
	[JF_SLOT_TCC_PTR] = {"#fce8b2", "tail-call count"},     [JF_SLOT_PAD] = {"#eeeeee", "padding"},
	[JF_SLOT_BPF_STACK] = {"#d5ecd4", "BPF stack"},         [JF_SLOT_OUT_ARGS] = {"#e6d9f2", "outgoing arguments"},
};

/* Text of ours and of backends: the markup's own characters are all that can hurt. */
static void put_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", file); break;
		case '>': fputs("&gt;", file); break;
		case '&': fputs("&amp;", file); break;
		default: fputc(*text, file);
		}
	}
}

static int row_height(const struct jf_slot *slot)
{
	return slot->size_bytes > 16 ? TALL_ROW : ROW;
}

/* `order` gets the slots' indexes, highest address first. */
static void sort_slots(const struct jf_frame *frame, uint8_t order[JF_FRAME_SLOTS_MAX])
{
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		unsigned int k = i;

		for (; k > 0 && frame->slots[order[k - 1]].off_from_cfa < frame->slots[i].off_from_cfa; k--)
			order[k] = order[k - 1];
		order[k] = (uint8_t)i;
	}
}

/* What points at this offset, on the line at y. */
static void put_pointers(FILE *file, const struct jf_frame *frame, int32_t off, int y)
{
	const struct jf_convention *conv = frame->conv;
	const struct jf_backend *backend = conv->backend;
	char text[64] = "";

	if (off == 0)
		strcat(text, " CFA");
	if (off == conv->fp_off_from_cfa)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", backend->regs[backend->fp].name);
	if (off == frame->bpf_fp_off_from_cfa && (frame->needs & JF_WHEN_FP) && !frame->spec.private_stack)
		strcat(text, " R10");
	if (off == -(int32_t)frame->size_bytes)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", backend->regs[backend->sp].name);
	if (text[0] == '\0')
		return;
	fprintf(file, "<path d=\"M%d %d h-24\" class=\"arrow\"/><text x=\"%d\" y=\"%d\" class=\"pointer\">",
		BOX_LEFT + BOX_WIDTH + 28, y, BOX_LEFT + BOX_WIDTH + 34, y + 4);
	put_text(file, text + 1);
	fputs("</text>\n", file);
}

static int put_slot(FILE *file, const struct jf_frame *frame, unsigned int index, int y)
{
	const struct jf_slot *slot = &frame->slots[index];
	int height = row_height(slot);
	char text[128];

	jf_slot_text(frame, index, text, sizeof(text));
	fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s</title></rect>\n",
		BOX_LEFT, y, BOX_WIDTH, height, slot->kind < JF_SLOT__COUNT ? colours[slot->kind].fill : "none",
		slot->kind < JF_SLOT__COUNT ? colours[slot->kind].kind : "");
	fprintf(file, "<text x=\"%d\" y=\"%d\" class=\"off\">%d</text>\n", BOX_LEFT - 8, y + height - 5,
		slot->off_from_cfa);
	fprintf(file, "<text x=\"%d\" y=\"%d\">", BOX_LEFT + 10, y + height / 2 + 5);
	put_text(file, text);
	fputs("</text>\n", file);
	put_pointers(file, frame, slot->off_from_cfa, y + height);
	return y + height;
}

static void put_frame(FILE *file, const struct jf_frame *frame)
{
	uint8_t order[JF_FRAME_SLOTS_MAX];
	int height = TOP + 24, y = TOP;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		height += row_height(&frame->slots[i]);
	sort_slots(frame, order);
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n"
		"<style>text{font:13px sans-serif;fill:#222}.title{font-weight:bold}.off{text-anchor:end;"
		"font-family:monospace}.pointer{font-family:monospace;font-weight:bold}rect{stroke:#555}"
		".arrow{stroke:#222;fill:none;marker-end:url(#tip)}</style>\n"
		"<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"6\" refY=\"4\" "
		"orient=\"auto\">"
		"<path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\" style=\"stroke:none\"/>\n",
		WIDTH, height, WIDTH, height);
	fprintf(file, "<text x=\"12\" y=\"24\" class=\"title\">%s/%s %s, %u bytes</text>\n", frame->conv->backend->name,
		frame->conv->name, jf_role_name((enum jf_role)frame->spec.role), frame->size_bytes);
	put_pointers(file, frame, 0, y);
	for (unsigned int i = 0; i < frame->slot_count; i++)
		y = put_slot(file, frame, order[i], y);
	fputs("</svg>\n", file);
}

int svg_write(const struct jf_frame *frame, const char *path)
{
	FILE *file = fopen(path, "w");
	bool failed;

	if (!file)
		return cli_failed("%s: %s", path, strerror(errno));
	put_frame(file, frame);
	failed = ferror(file) != 0;
	if (fclose(file) != 0 || failed)
		return cli_failed("%s: %s", path, strerror(errno));
	return 0;
}

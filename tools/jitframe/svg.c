/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <jitframe/describe.h>

#include "cli.h"
#include "page_text.h"

/*
 * A frame as a picture, highest address on top:
 *
 *     offset   +-----------+   register that     } what two or more
 *     of its   |   slot    |<- points at the     } slots together are
 *     end      +-----------+   slot's low end    }
 *
 * An offset stands beside the line that it is the offset of.
 */

enum {
	WIDTH = 680,
	TOP = 76, /* of the highest slot: title and key are above */
	ROW = 26,
	TALL_ROW = 56,
	BOX_LEFT = 64,
	BOX_WIDTH = 320,
	BOX_RIGHT = BOX_LEFT + BOX_WIDTH,
	GROUP_LEFT = BOX_RIGHT + 104,
	LIVE_LEFT = 16,
	LIVE_TOP = 14,
	LIVE_BOX_WIDTH = 270,
	LIVE_WIDTH = BOX_LEFT + LIVE_BOX_WIDTH + 112, /* room for names of registers */
};

static const struct look {
	const char *class;
	const char *group; /* what neighbours of the same look together are */
} looks[JF_SLOT__COUNT] = {
	[JF_SLOT_RETURN] = {"record", "frame record"},         [JF_SLOT_SAVE] = {"save", "caller's registers"},
	[JF_SLOT_SPILL] = {"spill", "this frame's registers"}, [JF_SLOT_TCC] = {"count", "tail-call count"},
	[JF_SLOT_TCC_PTR] = {"count", "tail-call count"},      [JF_SLOT_PAD] = {"pad", "padding"},
	[JF_SLOT_BPF_STACK] = {"stack", "BPF stack"},          [JF_SLOT_OUT_ARGS] = {"args", "outgoing arguments"},
	[JF_SLOT_CLEANUP] = {"count", "throw under way"},      [JF_SLOT_THROW] = {"spill", "throw site"},
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

static const struct look *look_of(const struct jf_frame *frame, const struct jf_slot *slot)
{
	static const struct look unknown = {"pad", ""};
	struct jf_slot record[JF_RECORD__COUNT];

	if (jf_frame_record(frame->conv, record) == JF_OK &&
	    (slot->off_from_cfa == record[JF_RECORD_RETURN].off_from_cfa ||
	     slot->off_from_cfa == record[JF_RECORD_FP].off_from_cfa))
		return &looks[JF_SLOT_RETURN];
	return slot->kind < JF_SLOT__COUNT ? &looks[slot->kind] : &unknown;
}

static void put_offset(FILE *file, int32_t off, int y)
{
	fprintf(file, "<text x=\"%d\" y=\"%d\" class=\"off\">%d</text>\n", BOX_LEFT - 8, y + 4, off);
}

/* Where an unwinder that calls pads finds registers. */
static void put_spill(const struct jf_frame *frame, int32_t off, char *text, size_t capacity)
{
	const struct jf_convention *conv = frame->conv;
	const char *fp = conv->backend->regs[conv->backend->fp].name;

	off -= conv->fp_off_from_cfa;
	if (jf_frame_calls_pads(frame) && off &&
	    (off == jf_frame_spill_off(frame, JF_SLOT_SAVE) || off == jf_frame_spill_off(frame, JF_SLOT_THROW)))
		snprintf(text + strlen(text), capacity - strlen(text), ", %s%+d", fp, off);
}

/* The offset of the line at y, and what points at the line. */
static void put_line(FILE *file, const struct jf_frame *frame, int32_t off, int y)
{
	const struct jf_convention *conv = frame->conv;
	const struct jf_backend *backend = conv->backend;
	char text[64] = "";

	put_offset(file, off, y);
	if (off == 0)
		strcat(text, ", CFA");
	if (off == conv->fp_off_from_cfa)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s", backend->regs[backend->fp].name);
	if (off == frame->bpf_fp_off_from_cfa && (frame->needs & JF_WHEN_FP) && !frame->spec.private_stack)
		strcat(text, ", R10");
	if (off == -(int32_t)frame->size_bytes)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s", backend->regs[backend->sp].name);
	put_spill(frame, off, text, sizeof(text));
	if (text[0] == '\0')
		return;
	fprintf(file, "<path d=\"M%d %dh-20\" class=\"arrow\"/><text x=\"%d\" y=\"%d\" class=\"pointer\">",
		BOX_RIGHT + 24, y, BOX_RIGHT + 30, y + 4);
	put_text(file, text + 2);
	fputs("</text>\n", file);
}

/* The box and its name. */
static void put_box(FILE *file, const struct jf_frame *frame, unsigned int index, int y, int width)
{
	const struct jf_slot *slot = &frame->slots[index];
	int height = row_height(slot);
	char text[128];

	jf_slot_text(frame, index, text, sizeof(text));
	fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"box %s\"/>\n", BOX_LEFT, y, width,
		height, look_of(frame, slot)->class);
	fprintf(file, "<text x=\"%d\" y=\"%d\">", BOX_LEFT + 12, y + height / 2 + 5);
	put_text(file, text);
	fputs("</text>\n", file);
}

static int put_slot(FILE *file, const struct jf_frame *frame, unsigned int index, int y)
{
	y += row_height(&frame->slots[index]);
	put_box(file, frame, index, y - row_height(&frame->slots[index]), BOX_WIDTH);
	put_line(file, frame, frame->slots[index].off_from_cfa, y);
	return y;
}

/* A bracket beside slots [first, last] of `order`, the first of which begins at y. returns: where the last ends. */
static int put_group(FILE *file, const struct jf_frame *frame, const uint8_t *order, unsigned int first,
		     unsigned int last, int y)
{
	int end = y;

	for (unsigned int i = first; i <= last; i++)
		end += row_height(&frame->slots[order[i]]);
	if (last > first) {
		fprintf(file, "<path d=\"M%d %dh8V%dh-8\" class=\"line\"/><text x=\"%d\" y=\"%d\" class=\"group\">",
			GROUP_LEFT, y + 3, end - 3, GROUP_LEFT + 16, (y + end) / 2 + 5);
		put_text(file, look_of(frame, &frame->slots[order[first]])->group);
		fputs("</text>\n", file);
	}
	return end;
}

static void put_groups(FILE *file, const struct jf_frame *frame, const uint8_t *order)
{
	unsigned int last;
	int y = TOP;

	for (unsigned int first = 0; first < frame->slot_count; first = last + 1) {
		const char *group = look_of(frame, &frame->slots[order[first]])->group;

		last = first;
		while (last + 1 < frame->slot_count &&
		       !strcmp(look_of(frame, &frame->slots[order[last + 1]])->group, group))
			last++;
		y = put_group(file, frame, order, first, last, y);
	}
}

static void put_frame(FILE *file, const struct jf_frame *frame)
{
	const char *arch = frame->conv->backend->name, *conv = frame->conv->name;
	const char *role = jf_role_name((enum jf_role)frame->spec.role);
	uint8_t order[JF_FRAME_SLOTS_MAX];
	int height = TOP + 24, y = TOP;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		height += row_height(&frame->slots[i]);
	sort_slots(frame, order);
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"role=\"img\">\n"
		"<title>Stack frame of a %s, %s/%s</title>\n",
		WIDTH, height, WIDTH, height, role, arch, conv);
	fprintf(file, "<style>\n%s</style>\n", page_frame_style);
	fputs("<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"6\" refY=\"4\" orient=\"auto\">"
	      "<path d=\"M0 0L8 4L0 8z\" class=\"tip\"/></marker></defs>\n"
	      "<rect width=\"100%\" height=\"100%\" class=\"page\"/>\n",
	      file);
	fprintf(file, "<text x=\"16\" y=\"26\" class=\"title\">%s/%s, %s: %u bytes</text>\n", arch, conv, role,
		frame->size_bytes);
	fputs("<text x=\"16\" y=\"48\" class=\"key\">Left: bytes from the CFA, the caller's stack pointer before the "
	      "call. Right: what points there.</text>\n",
	      file);
	put_line(file, frame, 0, y);
	for (unsigned int i = 0; i < frame->slot_count; i++)
		y = put_slot(file, frame, order[i], y);
	put_groups(file, frame, order);
	fputs("</svg>\n", file);
}

/* ---- for a page that steps through the code ----------------------------------------------------------- */

/* Pointers and the contents of slots change from instruction to instruction: the page's script puts them in. */
static int put_live_slot(FILE *file, const struct jf_frame *frame, unsigned int index, int y)
{
	int height = row_height(&frame->slots[index]);

	fprintf(file, "<g class=\"slot\" data-slot=\"%u\">\n", index);
	put_box(file, frame, index, y, LIVE_BOX_WIDTH);
	fprintf(file, "<text x=\"%d\" y=\"%d\" class=\"held\"></text>\n</g>\n", BOX_LEFT + LIVE_BOX_WIDTH - 10,
		y + height / 2 + 5);
	put_offset(file, frame->slots[index].off_from_cfa, y + height);
	return y + height;
}

void svg_put_live(FILE *file, const struct jf_frame *frame)
{
	uint8_t order[JF_FRAME_SLOTS_MAX];
	int height = LIVE_TOP + 16, y = LIVE_TOP;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		height += row_height(&frame->slots[i]);
	sort_slots(frame, order);
	fprintf(file, "<svg viewBox=\"%d 0 %d %d\">\n", LIVE_LEFT, LIVE_WIDTH - LIVE_LEFT, height);
	put_offset(file, 0, y);
	for (unsigned int i = 0; i < frame->slot_count; i++)
		y = put_live_slot(file, frame, order[i], y);
	fputs("</svg>\n", file);
}

/* ---- files ---------------------------------------------------------------------------------------------- */

int svg_write(const struct jf_frame *frame, const char *path)
{
	FILE *file = cli_create(path);

	if (!file)
		return CLI_FAILED;
	put_frame(file, frame);
	return cli_close(file, path);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>
#include <jitframe/describe.h>

#include "kernel_jit.h"

/*
 * Our code and a tree's beside each other. Instructions are the same when their text is. Text has distances, and a call
 * or jump out of the function has the name of what it goes to, so that what stands elsewhere can be the same.
 */

#define TEXT_MAX  96
#define CELLS_MAX ((size_t)64 << 20)

struct line {
	char text[TEXT_MAX];
	uint32_t off;
};

struct lines {
	struct line *lines;
	uint32_t count;
};

/* One of the two codes of a function, and what the code's addresses are. */
struct side {
	const struct listing *listing;
	const struct kernel_code *code; /* NULL: ours */
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
};

static const char *name_in_image(const struct listing *listing, uint64_t address)
{
	const struct jf_image *image = listing->image;

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);

		if (address == image->address + f->start)
			return f->name;
	}
	return NULL;
}

static const char *name_in_code(const struct kernel_code *code, uint64_t address)
{
	for (uint32_t i = 0; i < code->count; i++)
		if (address == code->functions[i].address)
			return code->functions[i].name;
	return NULL;
}

static const char *import_name(const struct jf_import *imports, uint32_t count, uint64_t address)
{
	for (uint32_t i = 0; i < count; i++)
		if (imports[i].address == address)
			return imports[i].name;
	return NULL;
}

/* What stands at an address; NULL: nobody knows. */
static const char *name_at(const struct side *side, uint64_t address)
{
	const struct jf_program *program = side->listing->source;
	const char *name = side->code ? name_in_code(side->code, address) : name_in_image(side->listing, address);

	if (!name)
		name = import_name(program->helpers, program->helper_count, address);
	return name ? name : import_name(program->kfuncs, program->kfunc_count, address);
}

/* "callq bpf_throw" in the place of a distance. */
static void name_target(const struct side *side, struct line *line)
{
	struct jf_effect effect;
	char mnemonic[16];
	const char *name;
	uint64_t to;

	if (jf_decode(side->listing->image->conv->backend, side->bytes + line->off, side->size - line->off, &effect) !=
		    JF_OK ||
	    (effect.flow != JF_FLOW_CALL && effect.flow != JF_FLOW_JUMP))
		return;
	to = line->off + (uint64_t)effect.target_off;
	if (to < side->size)
		return;
	name = name_at(side, side->address + to);
	if (name) {
		snprintf(mnemonic, sizeof(mnemonic), "%.*s", (int)strcspn(line->text, " "), line->text);
		snprintf(line->text, sizeof(line->text), "%s %s", mnemonic, name);
	}
}

static bool read_lines(const struct side *side, struct lines *out)
{
	out->count = 0;
	out->lines = calloc(side->size + 1, sizeof(*out->lines));
	for (size_t off = 0; out->lines && off < side->size;) {
		struct line *line = &out->lines[out->count++];

		line->off = (uint32_t)off;
		off += disasm_insn(side->listing->disasm, side->bytes + off, side->size - off, off, line->text,
				   sizeof(line->text));
		name_target(side, line);
	}
	return out->lines != NULL;
}

/* common[i][k]: lines that the rests from i and k have in common. */
static uint16_t *find_common(const struct lines *a, const struct lines *b)
{
	size_t width = (size_t)b->count + 1;
	uint16_t *common = calloc(((size_t)a->count + 1) * width, sizeof(*common));

	for (uint32_t i = a->count; common && i-- > 0;) {
		for (uint32_t k = b->count; k-- > 0;) {
			uint16_t down = common[(i + 1) * width + k], right = common[i * width + k + 1];

			if (strcmp(a->lines[i].text, b->lines[k].text) == 0)
				common[i * width + k] = (uint16_t)(common[(i + 1) * width + k + 1] + 1);
			else
				common[i * width + k] = down > right ? down : right;
		}
	}
	return common;
}

static void print_both(const struct line *a, const struct line *b, char mark)
{
	char off_a[12] = "", off_b[12] = "";

	if (a)
		snprintf(off_a, sizeof(off_a), "%x:", a->off);
	if (b)
		snprintf(off_b, sizeof(off_b), "%x:", b->off);
	printf("%c %5s %-44s %5s %s\n", mark, off_a, a ? a->text : "", off_b, b ? b->text : "");
}

static uint32_t print_lines(const struct lines *a, const struct lines *b, const uint16_t *common)
{
	size_t width = (size_t)b->count + 1;
	uint32_t differences = 0, i = 0, k = 0;

	while (i < a->count || k < b->count) {
		bool has_both = i < a->count && k < b->count;

		if (has_both && strcmp(a->lines[i].text, b->lines[k].text) == 0) {
			print_both(&a->lines[i++], &b->lines[k++], ' ');
			continue;
		}
		differences++;
		if (has_both && common[(i + 1) * width + k] == common[i * width + k + 1])
			print_both(&a->lines[i++], &b->lines[k++], '|');
		else if (k == b->count || (i < a->count && common[(i + 1) * width + k] >= common[i * width + k + 1]))
			print_both(&a->lines[i++], NULL, '<');
		else
			print_both(NULL, &b->lines[k++], '>');
	}
	return differences;
}

uint32_t kernel_print_diff(const struct listing *ours, const struct kernel_code *theirs, uint32_t index)
{
	const struct jf_image_function *f = jf_image_function_at(ours->image, index);
	const struct kernel_function *function = &theirs->functions[index];
	const struct side sides[] = {
		{ours, NULL, ours->bytes + f->start, f->size_bytes, ours->image->address + f->start},
		{ours, theirs, function->bytes, function->size, function->address},
	};
	struct lines a = {0}, b = {0};
	uint16_t *common = NULL;
	uint32_t differences = 1;

	printf("%s %s: ours %u bytes, the tree's %zu bytes\n", jf_role_name((enum jf_role)function->spec.role), f->name,
	       f->size_bytes, function->size);
	if (read_lines(&sides[0], &a) && read_lines(&sides[1], &b)) {
		if (((size_t)a.count + 1) * (b.count + 1) > CELLS_MAX)
			cli_warn("function %s is too long to be compared", f->name);
		else
			common = find_common(&a, &b);
	}
	if (common)
		differences = print_lines(&a, &b, common);
	free(common);
	free(a.lines);
	free(b.lines);
	return differences;
}

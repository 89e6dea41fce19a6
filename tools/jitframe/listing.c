/* SPDX-License-Identifier: BSD-2-Clause */
#include "listing.h"

#include <inttypes.h>
#include <stdio.h>

#include <jitframe/describe.h>

/* A compiled program as text, JSON or hexadecimal digits. */

/* ---- one function ------------------------------------------------------------------------------- */

static const char *map_name(const struct listing *s, uint32_t index)
{
	return s->bundle->strings + s->bundle->maps[index].name;
}

/* What the instruction refers to by name; "" when nothing. jf_compile() has checked the indexes. */
static void reference_text(const struct listing *s, const struct jf_insn *insn, char *text, size_t capacity)
{
	uint32_t imm = (uint32_t)insn->imm;
	unsigned int src = insn->regs >> 4;

	text[0] = '\0';
	if (insn->opcode == JF_INSN_CALL)
		snprintf(text, capacity, "call %s",
			 src == 0 ? s->source->helpers[imm].name :
			 src == 1 ? s->source->functions[imm].name :
				    s->source->kfuncs[imm].name);
	else if (insn->opcode == JF_INSN_LDDW && src == JF_SRC_MAP)
		snprintf(text, capacity, "map %s", map_name(s, imm));
	else if (insn->opcode == JF_INSN_LDDW && src == JF_SRC_MAP_VALUE)
		snprintf(text, capacity, "%s+%u", map_name(s, imm), (uint32_t)insn[1].imm);
	else if (insn->opcode == JF_INSN_LDDW && src == JF_SRC_CODE)
		snprintf(text, capacity, "function %s", s->source->functions[imm].name);
}

/* The machine instructions of a function, one after the other. */
struct cursor {
	const struct listing *s;
	const struct jf_image_function *function;
	const struct jf_function *source; /* NULL: not of the object */
	uint32_t off;
	size_t length;
	uint32_t next_insn; /* BPF instruction whose code comes next */
	char text[160];
	char comment[160];
};

static void start(struct cursor *c, const struct listing *s, uint32_t index)
{
	*c = (struct cursor){.s = s, .function = jf_image_function_at(s->image, index)};
	if (index < s->source->function_count)
		c->source = &s->source->functions[index];
}

/* The comment stands at the first machine instruction of a BPF instruction. */
static void set_comment(struct cursor *c)
{
	const uint32_t *insn_off = c->function->insn_off;

	c->comment[0] = '\0';
	while (c->source && insn_off && c->next_insn < c->source->insn_count && insn_off[c->next_insn] <= c->off) {
		const struct jf_insn *insn = &c->source->insns[c->next_insn];
		uint32_t after = c->next_insn + (insn->opcode == JF_INSN_LDDW ? 2 : 1);

		if (insn_off[c->next_insn] == c->off && insn_off[after] > c->off)
			reference_text(c->s, insn, c->comment, sizeof(c->comment));
		c->next_insn = after;
	}
}

static bool next(struct cursor *c)
{
	const struct jf_image_function *f = c->function;

	c->off += (uint32_t)c->length;
	if (c->off >= f->size_bytes)
		return false;
	c->length = disasm_insn(c->s->disasm, c->s->bytes + f->start + c->off, f->size_bytes - c->off,
				c->s->image->address + f->start + c->off, c->text, sizeof(c->text));
	set_comment(c);
	return true;
}

static const char *role_name(const struct jf_image_function *function)
{
	return function->is_stub ? "stub" : jf_role_name((enum jf_role)function->frame->spec.role);
}

static void print_function(const struct listing *s, uint32_t index)
{
	struct cursor c;

	start(&c, s, index);
	printf("%s %s, %u bytes", role_name(c.function), c.function->name, c.function->size_bytes);
	if (!c.function->is_stub)
		printf(", frame of %u bytes", c.function->frame->size_bytes);
	puts(":");
	while (next(&c)) {
		if (c.comment[0])
			printf("%4x:\t%-36s ; %s\n", c.off, c.text, c.comment);
		else
			printf("%4x:\t%s\n", c.off, c.text);
		if (s->opcodes) {
			char bytes[64];

			disasm_bytes(s->bytes + c.function->start + c.off, c.length, bytes, sizeof(bytes));
			printf("\t%s\n", bytes);
		}
	}
}

static json_t *json_function(const struct listing *s, uint32_t index)
{
	json_t *insns = json_array();
	struct cursor c;

	start(&c, s, index);
	while (next(&c)) {
		json_t *insn = json_pack("{s:I, s:o, s:s}", "offset", (json_int_t)c.off, "bytes",
					 json_bytes(s->bytes + c.function->start + c.off, c.length), "text", c.text);

		if (insn && c.comment[0])
			json_object_set_new(insn, "refers_to", json_text(c.comment));
		json_array_append_new(insns, insn);
	}
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:o, s:o}", "name", json_text(c.function->name), "role",
			 role_name(c.function), "address", json_hex(s->image->address + c.function->start),
			 "size_bytes", (json_int_t)c.function->size_bytes, "frame_bytes",
			 (json_int_t)c.function->frame->size_bytes, "code",
			 json_bytes(s->bytes + c.function->start, c.function->size_bytes), "instructions", insns);
}

/* ---- the whole program -------------------------------------------------------------------------- */

void listing_print_hex(const struct listing *s)
{
	for (uint32_t i = 0; i < s->image->function_count; i++) {
		const struct jf_image_function *function = jf_image_function_at(s->image, i);

		printf("%s ", function->name);
		cli_print_hex(s->bytes + function->start, function->size_bytes);
	}
}

void listing_print(const struct listing *s)
{
	const struct jf_convention *conv = s->image->conv;
	const char *strings = s->bundle->strings;

	printf("program %s, section %s, %s/%s: %zu bytes at 0x%" PRIx64 "\n", strings + s->program->name,
	       strings + s->program->section, conv->backend->name, conv->name, s->image->size_bytes, s->image->address);
	for (uint32_t i = 0; i < s->image->function_count; i++)
		print_function(s, i);
}

json_t *listing_json(const struct listing *s)
{
	const char *strings = s->bundle->strings;
	json_t *functions = json_array();

	for (uint32_t i = 0; i < s->image->function_count; i++)
		json_array_append_new(functions, json_function(s, i));
	return json_pack("{s:o, s:o, s:o, s:I, s:o}", "name", json_text(strings + s->program->name), "section",
			 json_text(strings + s->program->section), "address", json_hex(s->image->address), "size_bytes",
			 (json_int_t)s->image->size_bytes, "functions", functions);
}

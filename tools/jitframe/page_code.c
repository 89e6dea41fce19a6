/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "checked.h"

/*
 * The code of one function for the page. An instruction is
 *
 *     {"offset", "bytes", "text",
 *      "registers": [id, value, id, value...]     those that hold something else than before the instruction above
 *      "words": [[off, bytes, value]...]          all of them, where one is another than above
 *      "accesses": [[off, bytes, is store, id or -1, value]...]
 *      "to": offset, "call": true}                jumps in the function; calls
 *
 * with offsets from the CFA for words, and indexes into the page's values for what they hold. An instruction that no
 * path reaches has no "registers".
 */

struct code {
	struct check_output *output;
	const struct checked *checked;
	struct page_values *values;
	json_t *insns;
	uint32_t next_off; /* behind the last one */
	bool any;          /* `regs` and `words` are of the last one that is reached */
	struct jf_held regs[JF_REGS_MAX];
	json_t *words;
};

/* ---- values ------------------------------------------------------------------------------------------- */

static bool held_same(const struct jf_held *a, const struct jf_held *b)
{
	return a->kind == b->kind && a->reg == b->reg && a->flags == b->flags && a->low_bytes == b->low_bytes &&
	       a->off_from_cfa == b->off_from_cfa && a->code_off == b->code_off && a->imm == b->imm;
}

/* {"text"}, of an address in the frame {"text", "cfa": offset}, of what a caller left {"text", "entry": register id} */
static json_t *value_json(const struct jf_held *held, const char *text)
{
	json_t *value = json_pack("{s:s}", "text", text);

	if (held->kind == JF_HELD_CFA)
		json_object_set_new(value, "cfa", json_integer(held->imm));
	if (held->kind == JF_HELD_ENTRY && !held->imm && !held->low_bytes)
		json_object_set_new(value, "entry", json_integer(held->reg));
	return value;
}

/* From the mark BODY on the check takes registers for anything that a body may put there. */
static bool is_bodys(const struct code *code, const struct jf_held *held)
{
	return held->kind == JF_HELD_UNKNOWN && !(held->flags & JF_HELD_JOINED) &&
	       held->code_off == code->checked->input->marks[JF_MARK_BODY] && held->code_off != JF_CHECK_NO_OFF;
}

static json_t *value_index(struct code *code, const struct jf_held *held)
{
	char text[128] = "the body's own";
	json_t *index;
	int length = (int)strlen(text);

	if (!is_bodys(code, held))
		length = jf_held_text(code->checked->input->conv->backend, held, text, sizeof(text));
	if (held->low_bytes && length >= 0 && (size_t)length < sizeof(text))
		snprintf(text + length, sizeof(text) - (size_t)length, ", its low %u bytes", held->low_bytes);
	index = json_object_get(code->values->index, text);
	if (!index) {
		index = json_integer((json_int_t)json_array_size(code->values->list));
		json_object_set_new(code->values->index, text, index);
		json_array_append_new(code->values->list, value_json(held, text));
	}
	return json_incref(index);
}

/* ---- what holds ----------------------------------------------------------------------------------------- */

static json_t *registers_json(struct code *code, const struct jf_check_state *state)
{
	unsigned int count = code->checked->input->conv->backend->reg_count;
	json_t *list = json_array();

	for (unsigned int reg = 0; reg < count; reg++) {
		if (code->any && held_same(&state->regs[reg], &code->regs[reg]))
			continue;
		json_array_append_new(list, json_integer(reg));
		json_array_append_new(list, value_index(code, &state->regs[reg]));
	}
	memcpy(code->regs, state->regs, count * sizeof(code->regs[0]));
	return list;
}

/* returns: NULL when the words are those of the instruction above. */
static json_t *words_json(struct code *code, const struct jf_check_state *state)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < state->word_count; i++) {
		const struct jf_held_word *word = &state->words[i];

		json_array_append_new(list, json_pack("[i, I, o]", word->off_from_cfa, (json_int_t)word->size_bytes,
						      value_index(code, &word->value)));
	}
	if (code->words && json_equal(code->words, list)) {
		json_decref(list);
		return NULL;
	}
	json_decref(code->words);
	code->words = json_incref(list);
	return list;
}

static json_t *accesses_json(struct code *code, const struct jf_check_state *state)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < state->access_count; i++) {
		const struct jf_held_access *access = &state->accesses[i];

		json_array_append_new(list, json_pack("[i, I, i, i, o]", access->off_from_cfa,
						      (json_int_t)access->size_bytes, (int)access->is_store,
						      access->reg == JF_REG_NONE ? -1 : (int)access->reg,
						      value_index(code, &access->value)));
	}
	return list;
}

static void set_flow(struct code *code, json_t *insn, const struct jf_check_state *state)
{
	const struct jf_effect *effect = state->effect;
	int64_t to = state->code_off + effect->target_off;

	switch (effect->flow) {
	case JF_FLOW_JUMP:
	case JF_FLOW_BRANCH:
		if (to >= 0 && (uint64_t)to < code->checked->input->byte_count)
			json_object_set_new(insn, "to", json_integer(to));
		break;
	case JF_FLOW_CALL:
	case JF_FLOW_CALL_REG:
	case JF_FLOW_CALL_MEM: json_object_set_new(insn, "call", json_true()); break;
	default: break;
	}
}

/* ---- instructions --------------------------------------------------------------------------------------- */

/* size: 0: as long as it is. returns: its length. */
static size_t add_insn(struct code *code, uint32_t off, size_t size, const char *name)
{
	const struct jf_check_input *input = code->checked->input;
	struct disasm *disasm = check_disasm(code->output);
	size_t length = size ? size : input->conv->backend->insn_align, room = input->byte_count - off;
	char bytes[64], text[160];

	snprintf(text, sizeof(text), "%s", name);
	if (disasm)
		length = disasm_insn(disasm, input->bytes + off, size ? size : room, input->address + off, text,
				     sizeof(text));
	if (size || length > room)
		length = size && size < room ? size : room;
	disasm_bytes(input->bytes + off, length, bytes, sizeof(bytes));
	json_array_append_new(code->insns, json_pack("{s:I, s:s, s:o}", "offset", (json_int_t)off, "bytes", bytes,
						     "text", json_text(text)));
	code->next_off = off + (uint32_t)length;
	return length;
}

/* What no path reaches, up to where one goes on. */
static void add_gap(struct code *code, uint32_t end)
{
	while (code->next_off < end) {
		uint32_t off = code->next_off;

		if (off + add_insn(code, off, 0, "") <= end)
			continue;
		/* It reaches into the next one, so it is none. */
		json_array_remove(code->insns, json_array_size(code->insns) - 1);
		add_insn(code, off, end - off, "");
	}
}

static void add_state(void *arg, const struct jf_check_state *state)
{
	struct code *code = arg;
	json_t *insn, *words;

	if (state->code_off < code->next_off)
		return; /* inside of another instruction: code that overlaps is shown once */
	add_gap(code, state->code_off);
	add_insn(code, state->code_off, state->effect->size_bytes, state->effect->name);
	insn = json_array_get(code->insns, json_array_size(code->insns) - 1);
	json_object_set_new(insn, "registers", registers_json(code, state));
	words = words_json(code, state);
	if (words)
		json_object_set_new(insn, "words", words);
	if (state->words_missing)
		json_object_set_new(insn, "words_missing", json_true());
	if (state->access_count)
		json_object_set_new(insn, "accesses", accesses_json(code, state));
	set_flow(code, insn, state);
	code->any = true;
}

json_t *page_code(struct check_output *output, const struct checked *checked, struct page_values *values)
{
	struct code code = {.output = output, .checked = checked, .values = values, .insns = json_array()};

	/* What the check could do, this can: the report is there. */
	if (jf_check_states(checked->input, add_state, &code, NULL) != JF_OK)
		cli_failed("%s: no memory for what holds at each instruction", checked->name);
	add_gap(&code, (uint32_t)checked->input->byte_count);
	json_decref(code.words);
	return code.insns;
}

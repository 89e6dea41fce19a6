/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/code.h>

#include <string.h>

void jf_code_init(struct jf_code *code, uint8_t *bytes, size_t capacity, uint64_t address, struct jf_row *rows,
		  size_t row_capacity)
{
	memset(code, 0, sizeof(*code));
	code->bytes = bytes;
	code->capacity = bytes ? capacity : 0;
	code->address = address;
	code->rows = rows;
	code->row_capacity = row_capacity;
	code->status = JF_OK;
}

void jf_code_begin(struct jf_code *code, const struct jf_frame *frame, uint8_t cfa_reg, int32_t cfa_off, uint32_t saved)
{
	code->frame = frame;
	code->start = code->size;
	code->row_start = code->row_count;
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		code->marks[i] = JF_MARK_UNSET;
	code->now = (struct jf_row){.cfa_reg = cfa_reg, .cfa_off = cfa_off, .saved = saved};
	code->now_dirty = true;
}

void jf_code_fail(struct jf_code *code, enum jf_status status)
{
	if (code->status != JF_OK)
		return;
	code->status = status;
	code->fail_off = code->size;
	code->capacity = code->size; /* whatever comes now finds no room */
}

/* returns: false when there is no room for it. */
static bool put_row(struct jf_code *code)
{
	code->now_dirty = false;
	if (!code->rows) {
		code->row_count += !code->bytes;
		return true;
	}
	if (code->row_count > code->row_start && jf_row_same(&code->rows[code->row_count - 1], &code->now))
		return true;
	if (code->row_count == code->row_capacity)
		return false;
	code->now.code_off = (uint32_t)(code->size - code->start);
	code->rows[code->row_count++] = code->now;
	return true;
}

/* Without bytes there is never room for the inline functions of code.h: all code is counted here. */
static bool make_room(struct jf_code *code, size_t count)
{
	if (!code->bytes && code->status == JF_OK)
		code->capacity = code->size + count;
	if (count > code->capacity - code->size || (code->now_dirty && !put_row(code))) {
		jf_code_fail(code, JF_E_NOSPACE);
		return false;
	}
	return true;
}

void jf_code_put(struct jf_code *code, const void *bytes, size_t count)
{
	if (!make_room(code, count))
		return;
	if (code->bytes)
		memcpy(code->bytes + code->size, bytes, count);
	code->size += count;
}

void jf_code_wrote(struct jf_code *code, size_t count)
{
	if (count && make_room(code, count))
		code->size += count;
}

enum jf_status jf_code_finish(const struct jf_code *code)
{
	return code->status;
}

uint64_t jf_code_pc(const struct jf_code *code)
{
	return code->address + code->size;
}

void jf_code_mark(struct jf_code *code, enum jf_mark mark)
{
	code->marks[mark] = (uint32_t)(code->size - code->start);
}

void jf_code_cfa(struct jf_code *code, uint8_t reg, int32_t off)
{
	code->now.cfa_reg = reg;
	code->now.cfa_off = off;
	code->now_dirty = true;
}

void jf_code_saved(struct jf_code *code, unsigned int slot)
{
	code->now.saved |= UINT32_C(1) << slot;
	code->now_dirty = true;
}

void jf_code_restored(struct jf_code *code, unsigned int slot)
{
	code->now.saved &= ~(UINT32_C(1) << slot);
	code->now_dirty = true;
}

void jf_code_row_flags(struct jf_code *code, uint8_t set, uint8_t clear)
{
	code->now.flags = (uint8_t)((code->now.flags | set) & ~clear);
	code->now_dirty = true;
}

struct jf_row jf_code_state(const struct jf_code *code)
{
	return code->now;
}

void jf_code_set_state(struct jf_code *code, struct jf_row state)
{
	code->now = state;
	code->now_dirty = true;
}

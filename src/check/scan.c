/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/leader.h"

#include "base/memory.h"

/* A jump that a linker has yet to complete: out of this code. */
static void unlink_jump(struct checker *c)
{
	size_t low = 0, high = c->unlinked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->unlinked[middle] < c->off)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < c->unlinked_count && c->unlinked[low] < c->off + c->effect.size_bytes)
		c->effect.target_off = LEADER_UNLINKED - (int64_t)c->off;
}

bool leader_decode(struct checker *c)
{
	if (jf_decode(c->backend, c->input->bytes + c->off, c->input->byte_count - c->off, &c->effect) != JF_OK ||
	    !c->effect.size_bytes)
		return false;
	if (c->unlinked_count && (c->effect.flow == JF_FLOW_JUMP || c->effect.flow == JF_FLOW_BRANCH))
		unlink_jump(c);
	return true;
}

/* Whether control may go on behind the instruction. */
static bool effect_goes_on(const struct jf_effect *effect)
{
	return effect->flow != JF_FLOW_JUMP && effect->flow != JF_FLOW_JUMP_REG && effect->flow != JF_FLOW_JUMP_MEM &&
	       effect->flow != JF_FLOW_TRAP;
}

struct queue {
	uint32_t *offs;
	size_t count, capacity;
};

static bool enqueue(struct checker *c, struct queue *queue, int64_t off)
{
	if (!is_inside(c, off))
		return true;
	c->flags[off] |= IS_LEADER;
	if (c->flags[off] & (IS_START | IS_QUEUED))
		return true;
	if (queue->count == queue->capacity) {
		size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
		uint32_t *offs = jf_realloc(queue->offs, capacity * sizeof(*offs));

		if (!offs)
			return false;
		queue->offs = offs;
		queue->capacity = capacity;
	}
	c->flags[off] |= IS_QUEUED;
	queue->offs[queue->count++] = (uint32_t)off;
	return true;
}

/* From `off` on until control does not go on, or comes to where somebody has been. */
static bool scan_from(struct checker *c, struct queue *queue, uint32_t off)
{
	for (c->off = off; c->off < c->input->byte_count; c->off += c->effect.size_bytes) {
		if (c->flags[c->off] & IS_START) {
			c->flags[c->off] |= IS_LEADER;
			break;
		}
		c->flags[c->off] |= IS_START;
		if (!leader_decode(c))
			break;
		c->insn_count++;
		if ((c->effect.flow == JF_FLOW_JUMP || c->effect.flow == JF_FLOW_BRANCH) &&
		    !enqueue(c, queue, c->off + c->effect.target_off))
			return false;
		if (!effect_goes_on(&c->effect))
			break;
	}
	return true;
}

static bool scan(struct checker *c)
{
	struct queue queue = {0};
	bool ok = enqueue(c, &queue, 0);

	for (size_t i = 0; ok && i < c->input->from_body_count; i++)
		ok = enqueue(c, &queue, c->input->from_body[i]);
	for (size_t i = 0; ok && i < c->input->jump_target_count; i++)
		ok = enqueue(c, &queue, c->input->jump_targets[i]);
	for (size_t i = 0; ok && i < c->input->cleanup_count; i++)
		ok = enqueue(c, &queue, c->input->cleanups[i].pad_off);
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		if (is_inside(c, c->input->marks[i]))
			c->flags[c->input->marks[i]] |= IS_LEADER;
	if (is_inside(c, c->tail_entry))
		c->flags[c->tail_entry] |= IS_LEADER;
	while (ok && queue.count)
		ok = scan_from(c, &queue, queue.offs[--queue.count]);
	jf_free(queue.offs);
	return ok;
}

static bool make_leaders(struct checker *c)
{
	uint32_t count = 0;

	for (size_t off = 0; off < c->input->byte_count; off++)
		count += (c->flags[off] & (IS_START | IS_LEADER)) == (IS_START | IS_LEADER);
	c->leaders = jf_calloc(count + 1, sizeof(*c->leaders));
	if (!c->leaders)
		return false;
	for (size_t off = 0; off < c->input->byte_count; off++) {
		if ((c->flags[off] & (IS_START | IS_LEADER)) != (IS_START | IS_LEADER))
			continue;
		c->leader_index[off] = c->leader_count;
		c->leaders[c->leader_count++].off = (uint32_t)off;
	}
	return true;
}

static void sweep_target(struct checker *c)
{
	int64_t target = c->off + c->effect.target_off;

	if (is_inside(c, target))
		c->flags[target] |= IS_TARGET | IS_LEADER;
}

/* Where instructions go on behind bytes that are none: where they are of any length, only other code and rows tell. */
static uint8_t skip_unknown(const struct checker *c)
{
	uint8_t size = c->backend->insn_align;

	while (c->backend->insn_align < 4 && size < UINT8_MAX - 4 && c->off + size < c->input->byte_count &&
	       !(c->flags[c->off + size] & (IS_TARGET | IS_ROW)))
		size = (uint8_t)(size + c->backend->insn_align);
	return size;
}

static void sweep(struct checker *c)
{
	bool first = true; /* of a block; behind one that control does not leave at its end, padding comes first */
	bool behind_call = false;

	for (c->off = 0; c->off < c->input->byte_count; c->off += c->effect.size_bytes) {
		if (!leader_decode(c)) {
			c->effect.size_bytes = skip_unknown(c);
			first = true;
			continue;
		}
		/* A call in the middle of a block returns, unless the table describes something else behind it. */
		first |= behind_call && c->flags[c->off] & IS_ROW;
		if (!c->off || !(c->effect.flags & JF_EFFECT_NOP)) {
			c->flags[c->off] |= first ? IS_LEADER : 0;
			first = false;
			behind_call = effect_is_call(&c->effect);
		}
		c->flags[c->off] |= IS_START;
		c->insn_count++;
		if (c->effect.flow == JF_FLOW_JUMP || c->effect.flow == JF_FLOW_BRANCH)
			sweep_target(c);
		first |= !effect_goes_on(&c->effect);
	}
}

/* What a jump goes to in the middle of an instruction is an instruction, too: code jumps over prefixes. */
bool leader_sweep(struct checker *c)
{
	struct queue queue = {0};
	bool ok = true;

	sweep(c);
	for (size_t off = 0; ok && off < c->input->byte_count; off++)
		if ((c->flags[off] & (IS_TARGET | IS_START)) == IS_TARGET)
			ok = enqueue(c, &queue, (int64_t)off);
	while (ok && queue.count)
		ok = scan_from(c, &queue, queue.offs[--queue.count]);
	jf_free(queue.offs);
	return ok && make_leaders(c);
}

bool leader_scan(struct checker *c)
{
	return scan(c) && make_leaders(c);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/leader.h"

#include "base/memory.h"

bool leader_decode(struct checker *c)
{
	return jf_decode(c->backend, c->input->bytes + c->off, c->input->byte_count - c->off, &c->effect) == JF_OK &&
	       c->effect.size_bytes;
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
		if (c->effect.flow == JF_FLOW_JUMP || c->effect.flow == JF_FLOW_JUMP_REG ||
		    c->effect.flow == JF_FLOW_JUMP_MEM || c->effect.flow == JF_FLOW_TRAP)
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

bool leader_scan(struct checker *c)
{
	return scan(c) && make_leaders(c);
}

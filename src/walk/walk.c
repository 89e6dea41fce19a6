/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/walk.h"

#include "base/bytes.h"
#include "orc/orc.h"
#include "walk/source.h"
#include "walk/thread.h"

#include <string.h>

enum jf_status jf_walk_read_word(const struct walk *walk, uint64_t address, uint64_t *value)
{
	const struct jf_memory *memory = &walk->memory;

	if (address < memory->low || address > memory->high || memory->high - address < sizeof(*value))
		return JF_E_READ;
	if (memory->read)
		return memory->read(memory->arg, address, value) == JF_OK ? JF_OK : JF_E_READ;
	memcpy(value, (const void *)(uintptr_t)address, sizeof(*value));
	return JF_OK;
}

static enum jf_status read_word(struct walk *walk, uint64_t address, uint64_t *value)
{
	enum jf_status status = jf_walk_read_word(walk, address, value);

	return status == JF_OK ? JF_OK : walk_fail(walk, status, address);
}

/* ---- starting -------------------------------------------------------------------------------------- */

static enum jf_status take_opts(struct walk *walk, const struct jf_walk_opts *opts)
{
	if (!opts)
		return JF_OK;
	walk->opts = *opts;
	if ((opts->guess && opts->guess->backend != walk->backend) || (opts->by_record && !opts->guess))
		return JF_E_INVAL;
	walk->opts.memory = NULL; /* was for the caller to look at */
	if (opts->orc && !opts->orc_format)
		walk->opts.orc_format = walk->backend->orc;
	if (opts->guess && jf_frame_record(opts->guess, walk->guess_slots) != JF_OK)
		return JF_E_INVAL;
	if (opts->orc && !walk->opts.orc_format)
		return JF_E_UNSUPPORTED;
	return walk->opts.orc_format && walk->opts.orc_format->backend != walk->backend ? JF_E_INVAL : JF_OK;
}

/*
 * All that a return address promises is that SP, FP and the callee-saved registers are what they were
 * at the call; at any other pc every register is the live one.
 */
enum jf_status jf_walk_first(struct walk *walk, const struct jf_backend *backend, const struct jf_memory *memory,
			     const struct jf_regs *regs, uint64_t pc, bool pc_is_return,
			     const struct jf_walk_opts *opts)
{
	enum jf_status status;

	jf_walk_clear(walk);
	walk->backend = backend;
	status = take_opts(walk, opts);
	if (status != JF_OK)
		return status;
	walk->memory = *memory;
	walk->regs = *regs;
	walk->frame.pc = pc;
	walk->frame.pc_is_return = pc_is_return;
	walk->remembers = backend == jf_backend_host() && !walk->opts.orc && !walk->opts.by_record;
	for (unsigned int i = 0; i < backend->reg_count; i++)
		if (backend->regs[i].flags & JF_REG_CALLEE_SAVED)
			walk->kept[i / 64] |= walk_bit(i);
		else if (!pc_is_return)
			walk->known[i / 64] |= walk_bit(i);
	for (unsigned int i = 0; i < KNOWN_WORDS; i++) {
		walk->known[i] |= walk->kept[i];
		walk->plain_kept[i] = walk->kept[i];
	}
	walk->plain_kept[backend->fp / 64] |= walk_bit(backend->fp);
	walk->plain_kept[backend->ra / 64] &= ~walk_bit(backend->ra);
	walk_set_known(walk, backend->sp, true);
	walk_set_known(walk, backend->fp, true);
	return jf_walk_locate(walk);
}

/* ---- a step by a row ----------------------------------------------------------------------------------- */

static uint64_t slot_value(const struct walk *walk, uint8_t reg, uint64_t word)
{
	unsigned int bytes = walk->backend->regs[reg].size_bytes;

	return bytes < 8 ? word & ((UINT64_C(1) << 8 * bytes) - 1) : word;
}

/* What the slots in force hold: words[n] of slots[n]. Nothing changes before all of it is there. */
static enum jf_status read_slots(struct walk *walk, uint64_t words[JF_FRAME_SLOTS_MAX], bool *has_ra)
{
	for (uint32_t left = walk->frame.row->saved; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);
		enum jf_status status;

		if (i >= walk->frame.slot_count)
			break;
		status = read_word(walk, walk->frame.cfa + (uint64_t)(int64_t)walk->frame.slots[i].off_from_cfa,
				   &words[i]);
		if (status != JF_OK)
			return status;
		*has_ra |= walk->frame.slots[i].reg == walk->backend->ra;
	}
	return JF_OK;
}

/* The caller's registers. */
static void restore(struct walk *walk, const uint64_t words[JF_FRAME_SLOTS_MAX])
{
	const struct jf_backend *backend = walk->backend;
	const struct jf_row *row = walk->frame.row;
	bool fp_known =
		walk_is_known(walk, backend->fp) && (!(row->flags & JF_ROW_REGS_LOST) || row->flags & JF_ROW_FP_KEPT);

	for (unsigned int i = 0; i < KNOWN_WORDS; i++)
		walk->known[i] &= row->flags & JF_ROW_REGS_LOST ? 0 : walk->kept[i];
	walk_set_known(walk, backend->fp, fp_known);
	for (uint32_t left = row->saved; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);
		uint8_t reg;

		if (i >= walk->frame.slot_count)
			break;
		reg = walk->frame.slots[i].reg;
		walk->regs.value[reg] = slot_value(walk, reg, words[i]);
		walk_set_known(walk, reg, true);
	}
}

static enum jf_status step_row(struct walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	uint64_t sp = walk_sp(walk), words[JF_FRAME_SLOTS_MAX];
	/* A link register that was never stored still counts here, and only here. */
	bool has_ra = walk_is_known(walk, backend->ra);
	enum jf_status status;

	if (walk->frame.row->flags & JF_ROW_OUTERMOST)
		return JF_END;
	/* A function that has not moved SP yet may hand its caller the same SP, but only as the first frame. */
	if (walk->frame.cfa < sp || (walk->frame.cfa == sp && walk->frame.pc_is_return))
		return walk_fail(walk, JF_E_STUCK, walk->frame.cfa);
	status = read_slots(walk, words, &has_ra);
	if (status != JF_OK)
		return status;
	if (!has_ra)
		return walk_fail(walk, JF_E_LOST, walk->frame.pc);
	walk->frame.guessed |= (walk->frame.row->flags & JF_ROW_GUESSED) != 0;
	restore(walk, words);
	walk->frame.pc = walk->regs.value[backend->ra];
	if (backend->strip_return)
		walk->frame.pc = backend->strip_return(walk->frame.pc);
	/* Behind a signal's trampoline lies what the signal interrupted. */
	walk->frame.pc_is_return = !(walk->frame.function && walk->frame.function->flags & JF_CFI_SIGNAL);
	walk_set_known(walk, backend->ra, false);
	walk->regs.value[backend->sp] = walk->frame.cfa;
	walk_set_known(walk, backend->sp, true);
	return jf_walk_locate(walk);
}

/* ---- a step by a memo ------------------------------------------------------------------------------------ */

/* All slots are known to lie in the stack. */
static void restore_others(struct walk *walk)
{
	for (uint32_t left = walk->plain_others; left; left &= left - 1) {
		const struct jf_slot *slot = &walk->frame.slots[__builtin_ctz(left)];

		walk->regs.value[slot->reg] = jf_load_word(walk->frame.cfa + (uint64_t)(int64_t)slot->off_from_cfa);
	}
}

/* As jf_walk_locate(), with SP and FP at hand: a walk waits for these, and for little else. */
static enum jf_status locate_plain(struct walk *walk, uint64_t pc, uint64_t sp, uint64_t fp)
{
	struct walk_memos *memos = walk_own_memos();
	const struct walk_memo *memo;

	if (!walk_memos_take(memos))
		return jf_walk_locate(walk);
	memo = walk_recall(memos, walk, pc);
	if (memo && memo->depth && (!memo->cfa_is_fp || walk_is_known(walk, walk->backend->fp))) {
		walk->frame.cfa = (memo->cfa_is_fp ? fp : sp) + (uint64_t)(int64_t)memo->cfa_off;
		walk_memos_give(memos);
		return JF_OK;
	}
	walk_memos_give(memos);
	return jf_walk_locate(walk);
}

/* Whether a frame of this process is plain (src/walk/memo.h), and nothing is wrong with it. */
static bool is_plain(const struct walk *walk)
{
	uint64_t cfa = walk->frame.cfa, low = walk->memory.low;

	return walk->plain_depth && !walk->memory.read && cfa > walk->regs.value[walk->backend->sp] &&
	       cfa <= walk->memory.high && cfa >= low && cfa - low >= walk->plain_depth;
}

/* What step_row() would do for such a frame, in a fraction of the time. */
static enum jf_status step_plain(struct walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	uint64_t cfa = walk->frame.cfa, fp = walk->regs.value[backend->fp];
	uint64_t pc = jf_load_word(cfa + (uint64_t)(int64_t)walk->plain_ra_off);

	if (walk->plain_others)
		restore_others(walk);
	if (walk->plain_fp_off) {
		fp = jf_load_word(cfa + (uint64_t)(int64_t)walk->plain_fp_off);
		walk->regs.value[backend->fp] = fp;
	}
	for (unsigned int i = 0; i < KNOWN_WORDS; i++)
		walk->known[i] = (walk->known[i] & walk->plain_kept[i]) | walk->plain_known[i];
	if (backend->strip_return)
		pc = backend->strip_return(pc);
	walk->frame.pc = pc;
	walk->regs.value[backend->sp] = cfa;
	walk->frame.pc_is_return = true;
	return locate_plain(walk, pc, cfa, fp);
}

/* ---- other steps ---------------------------------------------------------------------------------------- */

/* Whether the caller's frame pointer is read from memory. */
static bool frame_has_fp(const struct jf_orc_format *format, const struct jf_orc_entry *entry)
{
	return format->codes[entry->fp_reg].saved != JF_ORC_KEPT ||
	       (entry->type == JF_ORC_REGS && format->regs.fp_at != JF_ORC_NO_OFF);
}

/* As the kernel's ORC unwinder goes. */
static enum jf_status step_orc(struct walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	const struct jf_orc_format *format = walk->opts.orc_format;
	struct jf_orc_frame frame = {
		.pc = walk->frame.pc_is_return ? walk->frame.pc - format->call_bytes : walk->frame.pc,
		.sp = walk_sp(walk),
		.fp = walk_fp(walk),
		.ra = walk->regs.value[backend->ra],
		.ra_live = !backend->ra_pushed && walk_is_known(walk, backend->ra),
		.interrupted = !walk->frame.pc_is_return,
		.context = walk->orc_context,
	};
	bool fp_known = walk_is_known(walk, backend->fp) || frame_has_fp(format, walk->frame.orc);
	uint8_t cfa_reg =
		format->codes[walk->frame.orc->sp_reg].reg; /* the only one beside SP and FP that is asked for */
	enum jf_status status;

	if (cfa_reg < backend->reg_count && walk_is_known(walk, cfa_reg))
		frame.live = &walk->regs;
	status = jf_orc_step_in(format, walk->frame.orc, &walk->memory, &frame);
	if (status == JF_END)
		return status;
	if (status != JF_OK)
		return walk_fail(walk, status, status == JF_E_READ ? frame.fail_address : walk->frame.pc);
	memset(walk->known, 0, sizeof(walk->known));
	walk->regs.value[backend->sp] = frame.sp;
	walk_set_known(walk, backend->sp, true);
	walk->regs.value[backend->fp] = frame.fp;
	walk_set_known(walk, backend->fp, fp_known);
	walk->regs.value[backend->ra] = frame.ra;
	walk_set_known(walk, backend->ra, frame.ra_live);
	walk->orc_context = frame.context;
	walk->frame.pc_is_return = !frame.interrupted;
	walk->frame.pc = walk->frame.pc_is_return ? frame.pc + format->call_bytes : frame.pc;
	return jf_walk_locate(walk);
}

/* Whether SP may go there from here: upwards, or once over to the stack that this one interrupted. */
static bool enter_interrupted_stack(struct walk *walk, uint64_t sp)
{
	if (sp > walk_sp(walk) && sp <= walk->memory.high)
		return true;
	if (sp < walk->outer_floor || sp > walk->outer_high || walk->outer_low == walk->outer_high)
		return false;
	walk->memory.low = sp < walk->outer_low ? walk->outer_low : walk_low_for(walk->backend, walk->outer_low, sp);
	walk->memory.high = walk->outer_high;
	walk->outer_low = walk->outer_high = 0;
	return true;
}

/* From a signal's trampoline to what was interrupted. */
static enum jf_status step_signal(struct walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	const struct jf_signal_frame *frame = backend->signal_frame;
	uint64_t base = walk_sp(walk), pc, sp;
	struct jf_regs regs;
	enum jf_status status = read_word(walk, base + (uint64_t)(int64_t)frame->pc_off, &pc);

	for (unsigned int i = 0; i < backend->reg_count && status == JF_OK; i++)
		if (frame->reg_off[i])
			status = read_word(walk, base + (uint64_t)(int64_t)frame->reg_off[i], &regs.value[i]);
	if (status != JF_OK)
		return status;
	sp = regs.value[backend->sp];
	if (!enter_interrupted_stack(walk, sp))
		return walk_fail(walk, JF_E_STUCK, sp);
	for (unsigned int i = 0; i < backend->reg_count; i++) {
		walk_set_known(walk, i, frame->reg_off[i] != 0);
		if (frame->reg_off[i])
			walk->regs.value[i] = regs.value[i];
	}
	walk->frame.pc = pc;
	walk->frame.pc_is_return = false;
	return jf_walk_locate(walk);
}

static enum jf_status step(struct walk *walk)
{
	if (is_plain(walk))
		return step_plain(walk);
	if (walk_at_trampoline(walk))
		return step_signal(walk);
	if (walk->frame.orc)
		return step_orc(walk);
	return walk->frame.row ? step_row(walk) : JF_E_NO_ROW;
}

enum jf_status jf_walk_next_past_entry(struct walk *walk)
{
	return step(walk);
}

enum jf_status jf_walk_next(struct walk *walk)
{
	if (is_plain(walk))
		return step_plain(walk);
	if (walk->frame.range && walk->frame.range->kind == JF_RANGE_ENTRY)
		return JF_END;
	return step(walk);
}

enum jf_status jf_walk_step(struct jf_walk *walk)
{
	return walk ? jf_walk_next(walk_inside(walk)) : JF_E_INVAL;
}

enum jf_status jf_walk_step_past_entry(struct jf_walk *walk)
{
	return walk ? jf_walk_next_past_entry(walk_inside(walk)) : JF_E_INVAL;
}

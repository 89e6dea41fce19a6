/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/here.h"
#include "walk/source.h"
#include "walk/walk.h"

#include <jitframe/orc.h>

/* The walk that Linux's bpf_throw() does: C by its unwind information, generated code by the frame record. */

static enum jf_status report_frames(struct walk *walk, jf_bpf_frame_fn consume, void *cookie)
{
	const struct jf_orc_format *format = walk->opts.orc_format ? walk->opts.orc_format : walk->backend->orc;
	uint64_t call_bytes = format ? format->call_bytes : 0;
	enum jf_status status = JF_OK;

	while (status == JF_OK) {
		uint64_t ip = walk->frame.pc_is_return ? walk->frame.pc - call_bytes : walk->frame.pc;

		if (!consume(cookie, ip, walk_sp(walk), walk_fp(walk)))
			return JF_OK;
		status = jf_walk_next_past_entry(walk);
	}
	return status;
}

static struct jf_walk_opts options(const struct jf_convention *conv, const struct jf_orc_index *orc)
{
	return (struct jf_walk_opts){.size = sizeof(struct jf_walk_opts), .by_record = true, .guess = conv, .orc = orc};
}

/* Nothing was said of the other registers. */
static enum jf_status forget_others(struct walk *walk)
{
	for (unsigned int i = 0; i < KNOWN_WORDS; i++)
		walk->known[i] = 0;
	walk_set_known(walk, walk->backend->sp, true);
	walk_set_known(walk, walk->backend->fp, true);
	return jf_walk_locate(walk);
}

enum jf_status jf_bpf_stack_walk_from(const struct jf_convention *conv, const struct jf_memory *memory,
				      const struct jf_orc_index *orc, uint64_t pc, uint64_t sp, uint64_t fp,
				      jf_bpf_frame_fn consume, void *cookie)
{
	struct jf_walk_opts opts = options(conv, orc);
	struct jf_regs regs = {.value = {0}};
	struct jf_memory known;
	unsigned int section;
	struct walk walk;
	enum jf_status status;

	if (!conv || !memory || !consume || jf_walk_read_memory(&known, memory) != JF_OK)
		return JF_E_INVAL;
	regs.value[conv->backend->sp] = sp;
	regs.value[conv->backend->fp] = fp;
	section = jf_code_map_enter();
	status = jf_walk_first(&walk, conv->backend, &known, &regs, pc, true, &opts);
	if (status == JF_OK)
		status = forget_others(&walk);
	if (status == JF_OK)
		status = report_frames(&walk, consume, cookie);
	jf_code_map_leave(section);
	return status;
}

enum jf_status jf_bpf_stack_walk_here_from(jf_bpf_frame_fn consume, void *cookie, const struct jf_regs *regs,
					   uint64_t pc)
{
	/* All conventions of an architecture have one frame record. */
	struct jf_walk_opts opts = options(jf_backend_host()->conventions[0], NULL);
	unsigned int section;
	struct walk walk;
	enum jf_status status;

	if (!consume)
		return JF_E_INVAL;
	section = jf_code_map_enter();
	status = jf_walk_first_here(&walk, &opts, regs, pc);
	if (status == JF_OK)
		status = report_frames(&walk, consume, cookie);
	jf_code_map_leave(section);
	return status;
}

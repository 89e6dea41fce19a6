/* SPDX-License-Identifier: BSD-2-Clause */
#include "step.h"

#include <unwind.h>

/* The unwinder of C++ exceptions, in a handler: past the handler's own frames, then frame by frame. */
struct looking {
	uint64_t pc;
	const struct step_frame *frames;
	unsigned int count, seen;
	bool is_past_handler, is_right;
};

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
	struct looking *looking = arg;
	uint64_t pc = _Unwind_GetIP(context);
	const struct step_frame *frame = &looking->frames[looking->seen];

	if (!looking->is_past_handler) {
		looking->is_past_handler = pc == looking->pc;
		return _URC_NO_REASON;
	}
	if (looking->seen == looking->count)
		return _URC_NO_REASON;
	looking->seen++;
	looking->is_right &= pc == frame->pc && _Unwind_GetCFA(context) == frame->sp;
	return _URC_NO_REASON;
}

bool step_unwinder_agrees(uint64_t pc, const struct step_frame *frames, unsigned int count)
{
	struct looking looking = {.pc = pc, .frames = frames, .count = count, .is_right = true};

	_Unwind_Backtrace(look, &looking);
	return looking.seen == count && looking.is_right;
}

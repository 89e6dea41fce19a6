/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "storm.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <jitframe/describe.h>
#include <jitframe/throw.h>

/*
 * A handler of SIGPROF walks from whatever it has interrupted to the thread's outermost frame. The frames of the
 * thread's function and what called it are known from a quiet walk: every walk has to end with them. What does
 * not is kept with its place and reason, one record for each place.
 */

#define FRAMES_MAX  1000 /* more is a loop */
#define OUTER_MAX   8
#define FAULTS_MAX  64
#define PLACES      65536
#define KIND_C      JF_RANGE__COUNT
#define KIND_NONE   (JF_RANGE__COUNT + 1)
#define KIND__COUNT (JF_RANGE__COUNT + 2)
#define STATUSES    32 /* errors, by their number */

/* What went wrong beside statuses. */
enum {
	WRONG_END = 1, /* other frames at the bottom */
	ENDLESS
};

struct frame {
	uint64_t pc, sp, fp;
};

struct fault {
	atomic_ullong pc; /* where the walk stood, odd: the key; 0 = free */
	atomic_uint count;
	int why; /* a status, or positive: as above */
	unsigned int depth;
	uint64_t start_pc; /* where it began */
	uint64_t fail_address, sp;
	char name[64];
};

static atomic_ullong walks, frames, walks_from[KIND__COUNT], frames_of[KIND__COUNT], failed[STATUSES], wrong_ends;
static atomic_ullong through_signals, places_seen, faults_lost, explained, gaps;
static struct fault faults[FAULTS_MAX];
static atomic_uchar places[PLACES];

static __thread struct {
	struct frame outer[OUTER_MAX]; /* the outermost last */
	unsigned int outer_count;
	atomic_bool on;
	timer_t timer;
	uint32_t random;
} storm __attribute__((tls_model("initial-exec")));

/* ---- notes ----------------------------------------------------------------------------------------------- */

static unsigned int kind_of(const struct jf_walk_frame *frame)
{
	if (frame->range)
		return frame->range->kind;
	return frame->function ? KIND_C : KIND_NONE;
}

/*
 * Where LLVM writes no unwind information for epilogues, nor for parts of a function that need no frame, its rows have
 * one there. So this program's own C code cannot be trusted where a row has a frame; what other compilers made, stubs
 * in assembler and generated code can.
 */
#ifdef __clang__
static bool may_have_untrue_rows(const struct jf_walk_frame *frame)
{
	const uintptr_t stubs[] = {(uintptr_t)jf_throw, (uintptr_t)jf_walk_here, (uintptr_t)jf_bpf_stack_walk};
	const struct jf_native *native = jf_backend_host()->native;

	if (!arch_named(jf_backend_host()->name)->clang_rows_untrue)
		return false;
	if (!frame->function || frame->name[0] || !frame->row || !frame->row->cfa_off)
		return false;
	for (unsigned int i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++)
		if (stubs[i] == frame->function->start)
			return false;
	return frame->function->start != (uintptr_t)native->may_goto_start;
}
#else
static bool may_have_untrue_rows(const struct jf_walk_frame *frame)
{
	(void)frame;
	return false;
}
#endif

static bool libraries_lack_rows(void)
{
	return arch_named(jf_backend_host()->name)->libraries_lack_rows;
}

/*
 * Libraries have code that nothing describes: glibc 2.41's __memmove_chk for x86-64 runs into memmove through padding
 * of no FDE. A walk that comes there finds no row, and says so. Generated code has rows, and so has this program's own,
 * but for what a libgcc without rows has put into it.
 */
static bool ends_in_a_gap(uint64_t pc, enum jf_status status)
{
	extern const char __executable_start[], etext[];
	struct jf_cfi_room room;
	unsigned int section;
	bool is_own = pc >= (uintptr_t)__executable_start && pc < (uintptr_t)etext, is_gap;

	if (status != JF_E_NO_ROW || (is_own && !libraries_lack_rows()))
		return false;
	section = jf_code_map_enter();
	is_gap = !jf_code_map_find(pc) && !jf_cfi_find(jf_backend_host(), pc, &room, NULL);
	jf_code_map_leave(section);
	return is_gap;
}

static void note_fault(const struct jf_walk *walk, uint64_t start_pc, unsigned int depth, int why)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	for (unsigned int i = 0; i < FAULTS_MAX; i++) {
		struct fault *fault = &faults[i];
		unsigned long long none = 0;

		if (atomic_compare_exchange_strong(&fault->pc, &none, frame->pc | 1)) {
			fault->why = why;
			fault->depth = depth;
			fault->start_pc = start_pc;
			fault->fail_address = frame->fail_address;
			fault->sp = jf_walk_sp(walk);
			strncpy(fault->name, frame->name ? frame->name : "?", sizeof(fault->name) - 1);
		} else if (none != (frame->pc | 1)) {
			continue;
		}
		atomic_fetch_add(&fault->count, 1);
		return;
	}
	atomic_fetch_add(&faults_lost, 1);
}

static void note_start(const struct jf_walk_frame *frame)
{
	atomic_fetch_add(&walks, 1);
	atomic_fetch_add(&walks_from[kind_of(frame)], 1);
	/* Distinct instructions of generated code, as far as a table without collisions tells. */
	if (frame->range && !atomic_exchange(&places[(frame->pc ^ frame->pc >> 16) % PLACES], 1))
		atomic_fetch_add(&places_seen, 1);
}

/* ---- walks ------------------------------------------------------------------------------------------------- */

static struct frame frame_of(const struct jf_walk *walk)
{
	return (struct frame){.pc = jf_walk_at(walk)->pc, .sp = jf_walk_sp(walk), .fp = jf_walk_fp(walk)};
}

/* The latest OUTER_MAX frames, as a ring. */
struct tail {
	struct frame frames[OUTER_MAX];
	unsigned int count;
};

static bool ends_as_it_should(const struct tail *tail)
{
	for (unsigned int i = 1; i <= storm.outer_count; i++) {
		const struct frame *wanted = &storm.outer[storm.outer_count - i];
		const struct frame *found;

		if (i > tail->count)
			return false;
		found = &tail->frames[(tail->count - i) % OUTER_MAX];
		if (found->pc != wanted->pc || found->sp != wanted->sp || found->fp != wanted->fp)
			return false;
	}
	return true;
}

/* To the outermost frame. returns: how the walk ended, or JF_OK for an endless one. */
static enum jf_status follow(struct jf_walk *walk, enum jf_status status, struct tail *tail)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	tail->count = 0;
	while (status == JF_OK && tail->count < FRAMES_MAX) {
		tail->frames[tail->count++ % OUTER_MAX] = frame_of(walk);
		atomic_fetch_add(&frames_of[kind_of(frame)], 1);
		atomic_fetch_add(&through_signals, frame->function && frame->function->flags & JF_CFI_SIGNAL);
		status = jf_walk_step_past_entry(walk);
	}
	if (libraries_lack_rows() && ends_in_a_gap(frame->pc, status))
		tail->frames[tail->count++ % OUTER_MAX] = frame_of(walk);
	return status;
}

static void walk_from(const void *context)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_context(&walk, context, NULL);
	const struct jf_walk_frame *frame = jf_walk_at(&walk);
	uint64_t start_pc = frame->pc;
	struct tail tail;
	bool untrue;

	if (status == JF_E_NOT_FOUND || status == JF_E_NO_THREAD) {
		atomic_fetch_add(&failed[-status], 1);
		return;
	}
	note_start(frame);
	if (ends_in_a_gap(start_pc, status)) {
		atomic_fetch_add(&gaps, 1);
		return;
	}
	untrue = status == JF_OK && may_have_untrue_rows(frame);
	status = follow(&walk, status, &tail);
	atomic_fetch_add(&frames, tail.count);
	if (libraries_lack_rows() && ends_in_a_gap(frame->pc, status)) {
		atomic_fetch_add(&gaps, !ends_as_it_should(&tail));
	} else if (untrue && (status <= 0 || !ends_as_it_should(&tail))) {
		atomic_fetch_add(&explained, 1);
	} else if (status < 0) {
		atomic_fetch_add(&failed[-status % STATUSES], 1);
		note_fault(&walk, start_pc, tail.count, status);
	} else if (status == JF_OK || !ends_as_it_should(&tail)) {
		atomic_fetch_add(&wrong_ends, 1);
		note_fault(&walk, start_pc, tail.count, status == JF_OK ? ENDLESS : WRONG_END);
	}
	jf_walk_end(&walk);
}

/* ---- the timer ------------------------------------------------------------------------------------------------ */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Once more after up to twice the time that the last walk took: programs get on, at any speed of the machine. */
static void arm(uint64_t walk_ns)
{
	struct itimerspec spec = {.it_value = {.tv_nsec = 2000}};
	uint64_t spread = 10000 + 2 * walk_ns;

	storm.random = storm.random * 1664525 + 1013904223;
	spec.it_value.tv_nsec += (long)((storm.random >> 8) % (spread < 100000000 ? spread : 100000000));
	timer_settime(storm.timer, 0, &spec, NULL);
}

static void on_profile(int number, siginfo_t *info, void *context)
{
	uint64_t start;

	(void)number;
	if (!atomic_load(&storm.on))
		return;
	start = now_ns();
	storm_forbid(true);
	walk_from(context);
	storm_forbid(false);
	if (info->si_code == SI_TIMER)
		arm(now_ns() - start);
}

/* The frames of the caller's caller and on. */
__attribute__((noinline)) static bool note_outer_frames(void)
{
	unsigned int count = 0;
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);

	for (; status == JF_OK && count < OUTER_MAX + 3; count++) {
		if (count >= 3)
			storm.outer[count - 3] = frame_of(&walk);
		status = jf_walk_step_past_entry(&walk);
	}
	/* The library's frame itself is known, if not who called it. */
	if (libraries_lack_rows() && ends_in_a_gap(jf_walk_at(&walk)->pc, status) && count >= 3) {
		storm.outer[count++ - 3] = frame_of(&walk);
		status = JF_END;
	}
	storm.outer_count = count > 3 ? count - 3 : 0;
	if (status != JF_END || !storm.outer_count)
		fprintf(stderr, "storm: a quiet walk ends with %s after %u frames, at %#" PRIx64 "\n",
			jf_status_name(status), count, jf_walk_at(&walk)->pc);
	jf_walk_end(&walk);
	return status == JF_END && storm.outer_count;
}

__attribute__((noinline)) bool storm_begin(unsigned int seed)
{
	struct sigevent event;

	storm.random = seed;
	if (jf_thread_init() != JF_OK || !note_outer_frames())
		return false;
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGPROF;
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &storm.timer)) {
		perror("storm: timer_create");
		return false;
	}
	atomic_store(&storm.on, true);
	arm(0);
	return true;
}

void storm_end(void)
{
	atomic_store(&storm.on, false);
	timer_delete(storm.timer);
}

bool storm_walks_init(void)
{
	const struct itimerval often = {.it_interval = {.tv_usec = 1}, .it_value = {.tv_usec = 1}};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_profile;
	action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	return !sigaction(SIGPROF, &action, NULL) && !setitimer(ITIMER_PROF, &often, NULL);
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

static void print_address(FILE *to, const char *what, uint64_t address)
{
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)address, &info))
		fprintf(to, " %s=%#" PRIx64, what, address);
	else
		fprintf(to, " %s=%s+%#" PRIx64 "(%s)", what, info.dli_fname,
			address - (uint64_t)(uintptr_t)info.dli_fbase, info.dli_sname ? info.dli_sname : "?");
}

static void print_faults(FILE *to)
{
	for (unsigned int i = 0; i < FAULTS_MAX && faults[i].pc; i++) {
		const struct fault *fault = &faults[i];

		fprintf(to, "fault status=%s count=%u depth=%u name=%s fail=%#" PRIx64 " sp=%#" PRIx64,
			fault->why == WRONG_END ? "wrong-end" :
			fault->why == ENDLESS   ? "endless" :
						  jf_status_name((enum jf_status)fault->why),
			fault->count, fault->depth, fault->name, fault->fail_address, fault->sp);
		print_address(to, "at", fault->pc - (fault->pc & 1));
		print_address(to, "from", fault->start_pc);
		fprintf(to, "\n");
	}
}

static const char *kind_name(unsigned int kind)
{
	return kind == KIND_C ? "c" : kind == KIND_NONE ? "unknown" : jf_range_kind_name(kind);
}

bool storm_report(FILE *to)
{
	unsigned long long bad = wrong_ends + storm_forbidden_calls();

	print_faults(to);
	for (unsigned int kind = 0; kind < KIND__COUNT; kind++)
		fprintf(to, "kind name=%s walks=%llu frames=%llu\n", kind_name(kind), walks_from[kind],
			frames_of[kind]);
	for (int status = 1; status < STATUSES; status++) {
		if (failed[status])
			fprintf(to, "status name=%s walks=%llu\n", jf_status_name((enum jf_status) - status),
				failed[status]);
		bad += failed[status];
	}
	fprintf(to,
		"walks=%llu frames=%llu places=%llu signals=%llu untrue_rows=%llu gaps=%llu forbidden=%llu "
		"failed=%llu\n",
		walks, frames, places_seen, through_signals, explained, gaps, storm_forbidden_calls(), bad);
	return !bad && !faults_lost && walks && (gaps <= walks / 1000 + 1 || libraries_lack_rows());
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "maps.h"
#include "packet.h"
#include "percpu.h"
#include "programs.h"
#include "registers.h"
#include "report.h"

/* One thread's part. */
struct worker {
	const struct program *program;
	const struct run_opts *opts;
	pthread_barrier_t *start; /* NULL: run at once */
	unsigned int number;
	uint64_t first;            /* result of the first run */
	uint64_t other;            /* one that differs from it */
	uint32_t other_run;        /* which that was; 0: none */
	bool changed[JF_REGS_MAX]; /* by register id: some run changed it, and this is how: */
	struct registers registers;
	uint32_t broken_run; /* the first after which a private stack's guard was broken ... */
	bool no_packet;      /* no memory for it */
	const char *broken;  /* ... that of this program; NULL: none was */
	_Alignas(16) uint8_t ctx[RUN_CTX_BYTES];
};

static uint64_t run_checked(struct worker *worker, uint32_t run)
{
	const struct jf_backend *backend = programs_convention()->backend;
	struct registers now;
	uint64_t r0;

	registers_fill(backend, &now.in, (uint64_t)worker->number << 8 ^ run);
	memset(&now.out, 0, sizeof(now.out));
	r0 = program_run_checked(worker->program, (uintptr_t)worker->ctx, &now.in, &now.out);
	for (unsigned int id = 0; id < backend->reg_count; id++) {
		if (worker->changed[id] || registers_kept(backend, &now, id))
			continue;
		worker->changed[id] = true;
		worker->registers.in.value[id] = now.in.value[id];
		worker->registers.out.value[id] = now.out.value[id];
	}
	return r0;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	const struct run_opts *opts = worker->opts;
	bool unsaved = programs_are_foreign() || jf_convention_unsaved(programs_convention(), NULL, 0) > 0;

	map_cpu_set(worker->number);
	faults_begin();
	percpu_begin();
	if (worker->start != NULL)
		pthread_barrier_wait(worker->start);
	for (uint32_t run = 0; run < opts->repeat; run++) {
		uint64_t r0;

		memset(worker->ctx, 0, sizeof(worker->ctx));
		if (opts->ctx_bytes > 0)
			memcpy(worker->ctx, opts->ctx, opts->ctx_bytes);
		if (!packet_begin(worker->ctx)) {
			worker->no_packet = true;
			break;
		}
		/* Where a throw may lose registers, they are not to be this program's own. */
		r0 = opts->check_registers || unsaved ? run_checked(worker, run) :
							program_run(worker->program, (uintptr_t)worker->ctx);
		if (opts->check_stacks && worker->broken == NULL) {
			worker->broken = programs_broken_stack();
			worker->broken_run = run;
		}
		if (run == 0) {
			worker->first = r0;
		} else if (r0 != worker->first && worker->other_run == 0) {
			worker->other = r0;
			worker->other_run = run;
		}
	}
	percpu_end();
	packet_end();
	faults_end();
	return NULL;
}

/* returns: whether all threads ran. */
static bool run_threads(struct worker *workers, uint32_t count)
{
	pthread_t *threads = calloc(count, sizeof(*threads));
	static pthread_barrier_t start; /* outlives this call when it fails */
	uint32_t started = 0;

	if (threads == NULL)
		return false;
	pthread_barrier_init(&start, NULL, count);
	for (; started < count; started++) {
		workers[started].start = &start;
		if (pthread_create(&threads[started], NULL, work, &workers[started]) != 0)
			break;
	}
	/* Those that were started wait for ones that never come: leave them to the end of the process. */
	for (uint32_t i = 0; started == count && i < count; i++)
		pthread_join(threads[i], NULL);
	if (started == count)
		pthread_barrier_destroy(&start);
	free(threads);
	return started == count;
}

static bool results_agree(const struct worker *workers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct worker *worker = &workers[i];

		if (worker->other_run != 0) {
			report_error_text("thread %u: run 0 gave 0x%" PRIx64 ", run %u gave 0x%" PRIx64, i,
					  worker->first, worker->other_run, worker->other);
			return false;
		}
		if (worker->first != workers[0].first) {
			report_error_text("thread 0 gave 0x%" PRIx64 ", thread %u gave 0x%" PRIx64, workers[0].first, i,
					  worker->first);
			return false;
		}
	}
	return true;
}

static const struct worker *who_changed(const struct worker *workers, uint32_t count, unsigned int id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (workers[i].changed[id])
			return &workers[i];
	}
	return NULL;
}

static bool report_registers(const struct worker *workers, uint32_t count)
{
	const struct jf_backend *backend = programs_convention()->backend;
	unsigned int checked = 0, changed = 0;

	for (unsigned int id = 0; id < backend->reg_count; id++) {
		checked += (backend->regs[id].flags & JF_REG_CALLEE_SAVED) != 0;
		changed += who_changed(workers, count, id) != NULL;
	}
	report("registers checked=%u changed=%u", checked, changed);
	for (unsigned int id = 0; id < backend->reg_count; id++) {
		const struct worker *worker = who_changed(workers, count, id);

		if (worker != NULL)
			report("register name=%s in=0x%" PRIx64 " out=0x%" PRIx64, backend->regs[id].name,
			       worker->registers.in.value[id], worker->registers.out.value[id]);
	}
	return changed == 0;
}

static bool report_stacks(const struct worker *workers, uint32_t count, uint32_t repeat)
{
	const struct worker *broken = NULL;

	for (uint32_t i = 0; i < count && broken == NULL; i++) {
		if (workers[i].broken != NULL)
			broken = &workers[i];
	}
	report("private_stacks checks=%" PRIu64 " broken=%d", (uint64_t)repeat * count, broken != NULL);
	if (broken != NULL)
		report_error_text("%s: wrote beyond its private stack, thread %u, run %u", broken->broken,
				  broken->number, broken->broken_run);
	return broken == NULL;
}

int run_program(const struct program *program, const struct run_opts *opts)
{
	struct worker *workers = calloc(opts->threads, sizeof(*workers));
	int code = EXIT_OK;

	if (workers == NULL)
		return report_error_text("no memory for %u threads", opts->threads);
	for (uint32_t i = 0; i < opts->threads; i++) {
		workers[i].program = program;
		workers[i].opts = opts;
		workers[i].number = i;
	}
	if (opts->threads == 1)
		work(&workers[0]);
	else if (!run_threads(workers, opts->threads))
		return report_error_text("%u threads cannot be started", opts->threads);
	for (uint32_t i = 0; i < opts->threads; i++) {
		if (workers[i].no_packet)
			return report_error_text("--packet: no memory below 4 GiB");
	}
	/* A result from a broken stack is none. */
	if ((opts->check_stacks && !report_stacks(workers, opts->threads, opts->repeat)) ||
	    !results_agree(workers, opts->threads))
		code = EXIT_FAILED;
	else
		report("result program=%s r0=0x%" PRIx64 " runs=%" PRIu64, opts->name, workers[0].first,
		       (uint64_t)opts->repeat * opts->threads);
	if (opts->check_registers && !report_registers(workers, opts->threads))
		code = EXIT_FAILED;
	free(workers);
	return code;
}

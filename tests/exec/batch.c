/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec.h"
#include "run.h"

/*
 * What the `jitframe` command does, by the command's own functions, but with one runner for many runs (see the
 * runner's batch.h): bundles, requests and what comes back are files of a folder.
 */

#define SECONDS_MAX 300
#define BUNDLES_MAX 512

/* Bundles do not depend on the target: each is linked once. */
static struct bundle_file {
	char object[256], program[64], replaced[320];
	char path[96];
} bundles[BUNDLES_MAX];
static unsigned int bundle_count;
static char folder[64];

struct batch {
	struct run *runs;
	size_t count, done;
	FILE *requests;
	void (*tell)(struct run *run);
};

/* ---- files ---------------------------------------------------------------------------------------- */

static bool make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	if (folder[0] != '\0')
		return true;
	snprintf(folder, sizeof(folder), "%.40s/jf-exec-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(folder) != NULL)
		return true;
	folder[0] = '\0';
	return false;
}

static void file_name(size_t index, const char *suffix, char name[96])
{
	snprintf(name, 96, "%s/%zu%s", folder, index, suffix);
}

static bool write_file(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "wb");
	bool good = file != NULL && fwrite(bytes, 1, size, file) == size;

	return file != NULL && fclose(file) == 0 && good;
}

static void copy_and_remove(const char *name, FILE *to)
{
	FILE *from = fopen(name, "r");
	char bytes[4096];
	size_t got;

	while (from != NULL && (got = fread(bytes, 1, sizeof(bytes), from)) > 0)
		fwrite(bytes, 1, got, to);
	if (from != NULL)
		fclose(from);
	unlink(name);
}

void batch_fini(void)
{
	for (unsigned int i = 0; i < bundle_count; i++)
		unlink(bundles[i].path);
	if (folder[0] != '\0')
		rmdir(folder);
}

/* ---- what goes there ---------------------------------------------------------------------------- */

/* returns: the bundle's file, or NULL after a message. */
static const char *link_bundle(struct run_job *job)
{
	const char *replaced = job->replace_count > 0 ? job->replaces[0] : "";
	struct bundle_file *file = bundles;
	void *bundle = NULL;
	size_t size;

	for (; file < bundles + bundle_count; file++)
		if (strcmp(file->object, job->object) == 0 && strcmp(file->program, job->program) == 0 &&
		    strcmp(file->replaced, replaced) == 0)
			return file->path;
	if (bundle_count == BUNDLES_MAX || run_job_link(job, &bundle, &size) != 0)
		return NULL;
	snprintf(file->object, sizeof(file->object), "%s", job->object);
	snprintf(file->program, sizeof(file->program), "%s", job->program);
	snprintf(file->replaced, sizeof(file->replaced), "%s", replaced);
	snprintf(file->path, sizeof(file->path), "%s/%u.bundle", folder, bundle_count);
	if (write_file(file->path, bundle, size))
		bundle_count++;
	else
		cli_failed("%s: %s", file->path, strerror(errno));
	free(bundle);
	return file < bundles + bundle_count ? file->path : NULL;
}

/* Texts of a job that are not the scenario's own. */
struct texts {
	char object[256], ctx[CTX_DIGITS], threads[16], repeat[16], sets[256], replaced[320];
};

static void make_job(const struct run *run, struct run_job *job, struct texts *texts)
{
	const struct scenario *scenario = run->scenario;
	char *rest = NULL;

	memset(job, 0, sizeof(*job));
	run_object(run, texts->object, sizeof(texts->object));
	run_ctx(run, texts->ctx);
	snprintf(texts->sets, sizeof(texts->sets), "%s", scenario->sets != NULL ? scenario->sets : "");
	run_replaced(run, texts->replaced, sizeof(texts->replaced));
	snprintf(texts->threads, sizeof(texts->threads), "%u", scenario->threads);
	snprintf(texts->repeat, sizeof(texts->repeat), "%u", scenario->repeat);
	job->object = texts->object;
	job->program = run_program(run);
	job->ctx = texts->ctx;
	job->packet = scenario->packet;
	job->threads = scenario->threads > 1 ? texts->threads : NULL;
	job->repeat = scenario->repeat > 1 ? texts->repeat : NULL;
	job->trace = run_is_traced(run);
	job->check_registers = true;
	job->landing_pads = run->target->landing_pads;
	job->sign_return = run->target->sign_return;
	job->private_stack = scenario->private_stack;
	for (char *set = strtok_r(texts->sets, " ", &rest); set != NULL; set = strtok_r(NULL, " ", &rest))
		job->sets[job->set_count++] = set;
	if (texts->replaced[0] != '\0')
		job->replaces[job->replace_count++] = texts->replaced;
}

/* returns: false after a message. */
static bool request(struct batch *batch, size_t index, const struct jf_convention *conv)
{
	const struct run *run = &batch->runs[index];
	struct texts texts;
	struct launch options = {0};
	struct run_job job;
	const char *bundle;
	char name[96];

	make_job(run, &job, &texts);
	job.conv = conv;
	bundle = link_bundle(&job);
	if (bundle == NULL)
		return false;
	run_job_options(&job, &options);
	file_name(index, "", name);
	fprintf(batch->requests, "%s\t%u\t--bundle\t%s", name,
		run->scenario->seconds > 0 ? run->scenario->seconds : SECONDS_MAX, bundle);
	for (unsigned int i = 0; i < options.argc; i++)
		fprintf(batch->requests, "\t%s", options.argv[i]);
	fputc('\n', batch->requests);
	return true;
}

/* ---- what comes back ---------------------------------------------------------------------------- */

static void read_records(struct trace *trace, const char *name)
{
	FILE *report = fopen(name, "r");

	if (report == NULL)
		return;
	run_job_records(report, trace);
	fclose(report);
	unlink(name);
}

/* Makes of what the runner has left what the command would print. */
static void collect(struct run *run, size_t index, const struct outcome *outcome)
{
	struct trace *trace = trace_new(true);
	struct texts texts;
	struct run_job job;
	size_t size;
	char name[96];
	FILE *err = open_memstream(&run->err, &size);

	make_job(run, &job, &texts);
	if (trace == NULL || err == NULL || jf_convention_find(run->target->name, &job.conv, NULL) != JF_OK)
		abort();
	file_name(index, ".output", name);
	copy_and_remove(name, err);
	file_name(index, ".report", name);
	read_records(trace, name);
	cli_messages_to(err);
	run->json = run_job_json(&job, trace, outcome);
	run->status = run_job_judge(&job, trace, outcome);
	cli_messages_to(NULL);
	fclose(err);
	trace_free(trace);
}

static void finish(struct batch *batch, const struct outcome *outcome)
{
	struct run *run = &batch->runs[batch->done];

	collect(run, batch->done++, outcome);
	run_check(run);
	batch->tell(run);
}

/* "done name=NAME status=S signal=N" of the next run; what else the runner says is an error. */
static void record(struct batch *batch, const char *line)
{
	struct outcome outcome = {0};
	char name[96], expected[96];

	if (batch->done < batch->count &&
	    sscanf(line, "done name=%95s status=%d signal=%d", name, &outcome.status, &outcome.signal) == 3) {
		file_name(batch->done, "", expected);
		if (strcmp(name, expected) == 0) {
			finish(batch, &outcome);
			return;
		}
	}
	printf("# the runner says: %s", line);
}

/* Those that are left have not been run. */
static void give_up(struct batch *batch, const char *why)
{
	for (; batch->done < batch->count; batch->done++) {
		run_expect(&batch->runs[batch->done], false, "not run: %s", why);
		batch->tell(&batch->runs[batch->done]);
	}
}

static void run_requests(struct batch *batch, const struct jf_backend *backend, const char *requests, size_t size)
{
	struct launch launch = {.backend = backend, .input_option = "--batch", .input = requests, .input_size = size};
	struct outcome outcome;
	char *line = NULL;
	size_t capacity = 0;
	FILE *report;
	int pid;

	if (launch_start(&launch, &report, &pid) != 0) {
		give_up(batch, "the runner was not started");
		return;
	}
	while (getline(&line, &capacity, report) >= 0)
		record(batch, line);
	free(line);
	fclose(report);
	if (launch_wait(pid, &outcome) != 0)
		outcome = (struct outcome){0};
	if (batch->done < batch->count) {
		char why[64];

		snprintf(why, sizeof(why), "the runner ended with signal %d, status %d", outcome.signal,
			 outcome.status);
		give_up(batch, why);
	}
}

void batch_runs(struct run *runs, size_t count, void (*done)(struct run *run))
{
	struct batch batch = {.runs = runs, .count = count, .tell = done};
	const struct jf_convention *conv;
	char *requests = NULL;
	size_t size = 0;
	bool good = count > 0 && jf_convention_find(runs[0].target->name, &conv, NULL) == JF_OK && make_folder();

	batch.requests = open_memstream(&requests, &size);
	for (size_t i = 0; good && i < count; i++) {
		good = request(&batch, i, conv);
		if (!good)
			run_expect(&runs[i], false, "not linked; standard error says why");
	}
	fclose(batch.requests);
	if (good)
		run_requests(&batch, conv->backend, requests, size);
	else
		give_up(&batch, "the batch cannot be made");
	free(requests);
}

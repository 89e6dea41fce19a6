/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clean-up pads in this process: each program in each convention that runs here, under each option that the convention
 * has, with all registers that a caller keeps looked at, and with walks from a timer's signals meanwhile.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jitframe/jitframe.h>

#include "areas.h"
#include "pads.h"

static const struct jf_backend *host;
static const struct jf_convention *conv;
static unsigned int tests, failures;

static JF_PRINTF(2, 3) void tap(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%s %u - %s: ", good ? "ok" : "not ok", ++tests, conv->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	failures += !good;
}

static bool runs_pads(const struct jf_convention *other)
{
	return jf_convention_supports(other, JF_CAP_RUN) && other->cleanup_entry != JF_CLEANUP_NONE;
}

/* ---- walks from signals ------------------------------------------------------------------------------------- */

static volatile sig_atomic_t bad_walks, walks, walks_in_pads, walks_nowhere;
static struct {
	uint64_t from, at;
	enum jf_status status;
} first_bad; /* where the first such walk began and ended */

static void on_timer(int number, siginfo_t *info, void *ucontext)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_context(&walk, ucontext, NULL);
	uint64_t from = jf_walk_at(&walk)->pc;
	bool in_generated = false;

	(void)number;
	(void)info;
	for (unsigned int i = 0; status == JF_OK && i < 1000; i++) {
		in_generated |= jf_walk_at(&walk)->range != NULL;
		walks_in_pads += jf_walk_cleanup(&walk, NULL);
		status = jf_walk_step_past_entry(&walk);
	}
	/* Some of libc has no rows, and a compiler's rows can be untrue behind an epilogue amid a function. */
	if (status == JF_E_NO_ROW && !in_generated && !jf_walk_at(&walk)->range)
		walks_nowhere++;
	else if (status != JF_END && !bad_walks++) {
		first_bad.from = from;
		first_bad.at = jf_walk_at(&walk)->pc;
		first_bad.status = status;
	}
	jf_walk_end(&walk);
	walks++;
}

static void set_timer(suseconds_t every)
{
	const struct itimerval timer = {{0, every}, {0, every}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- runs ----------------------------------------------------------------------------------------------------- */

static struct jf_loaded *load(const struct pad_case *c, unsigned int options)
{
	struct jf_compile_opts opts = {.size = sizeof(opts), .landing_pads = options & 1, .sign_return = options & 2};
	struct jf_loaded *loaded = NULL;
	struct jf_error error = {0};

	opts.private_stack = c->private_stack;
	if (jf_load(conv, &c->program, &opts, NULL, &loaded, &error) != JF_OK && pad_case_runs(c, conv))
		printf("# %s: %s: %s\n", c->name, error.where, error.text);
	return loaded;
}

static uint64_t part(unsigned int reg, uint64_t value)
{
	unsigned int bytes = host->regs[reg].size_bytes;

	return bytes < 8 ? value & ((UINT64_C(1) << 8 * bytes) - 1) : value;
}

static bool run(struct jf_loaded *loaded, const struct pad_case *c)
{
	struct jf_regs in, out;
	uint64_t result, log;
	bool good = true;

	memset(&in, 0, sizeof(in));
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		in.value[reg] = host->regs[reg].cls == JF_REG_CONTROL ? host->regs[reg].control->other :
									UINT64_C(0x0101010101010101) * (reg + 1) + reg;
	pads_log();
	result = jf_run_checked(loaded, 0, &in, &out);
	log = pads_log();
	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		if (!(host->regs[reg].flags & JF_REG_CALLEE_SAVED) ||
		    part(reg, in.value[reg]) == part(reg, out.value[reg]))
			continue;
		printf("# %s: %s is not kept\n", c->name, host->regs[reg].name);
		good = false;
	}
	if (result != c->result || log != c->log) {
		printf("# %s: result %" PRIu64 ", not %" PRIu64 "; log %" PRIx64 ", not %" PRIx64 "\n", c->name, result,
		       c->result, log, c->log);
		good = false;
	}
	return good;
}

static void test_cases(void)
{
	static const char *const names[] = {"", ", landing pads", ", signed returns", ", both"};

	for (unsigned int i = 0; i < pad_case_count; i++) {
		for (unsigned int options = 0; options < 4; options++) {
			uint32_t caps =
				(options & 1 ? JF_CAP_LANDING_PADS : 0) | (options & 2 ? JF_CAP_SIGN_RETURN : 0);
			struct jf_loaded *loaded;
			bool good;

			if (!jf_convention_supports(conv, caps))
				continue;
			loaded = load(&pad_cases[i], options);
			if (!pad_case_runs(&pad_cases[i], conv)) {
				tap(!loaded, "%s%s: refused", pad_cases[i].name, names[options]);
				jf_unload(loaded);
				continue;
			}
			good = loaded;
			/* The second time by what the first has left in memos. */
			for (unsigned int k = 0; k < 3 && loaded; k++)
				good &= run(loaded, &pad_cases[i]);
			jf_unload(loaded);
			tap(good, "%s%s", pad_cases[i].name, names[options]);
		}
	}
}

/* What an unwinder without rows would have found, which calls pads. */
static void test_areas(void)
{
	unsigned int compared = 0, different = 0;

	for (unsigned int i = 0; i < pad_case_count; i++) {
		struct jf_loaded *loaded = pad_case_runs(&pad_cases[i], conv) ? load(&pad_cases[i], 0) : NULL;

		if (!loaded)
			continue;
		areas_begin(loaded);
		run(loaded, &pad_cases[i]);
		areas_end(&compared, &different);
		jf_unload(loaded);
	}
	tap(!different && compared >= 15, "spill and throw-site areas have what %u pads find", compared);
}

static void test_walks(void)
{
	struct jf_loaded *loaded[64];
	bool good = true;

	bad_walks = walks = walks_in_pads = walks_nowhere = 0;
	for (unsigned int i = 0; i < pad_case_count; i++)
		loaded[i] = load(&pad_cases[i], 0);
	set_timer(500);
	for (unsigned int rounds = 0; good && walks < 2000 && rounds < 200000; rounds++)
		for (unsigned int i = 0; i < pad_case_count; i++)
			good &= !loaded[i] || run(loaded[i], &pad_cases[i]);
	set_timer(0);
	for (unsigned int i = 0; i < pad_case_count; i++)
		jf_unload(loaded[i]);
	printf("# %d walks, %d ended in C code without rows, %d frames with a pad running\n", (int)walks,
	       (int)walks_nowhere, (int)walks_in_pads);
	if (bad_walks)
		printf("# from %#" PRIx64 " to %#" PRIx64 ": %s\n", first_bad.from, first_bad.at,
		       jf_status_name(first_bad.status));
	tap(good && !bad_walks && walks > 4 * walks_nowhere && walks_in_pads, "walks from signals: %d ended early",
	    (int)bad_walks);
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

/* In a process of its own. returns: its exit code, and what it has written on standard error. */
static int run_apart(const struct pad_case *c, char *text, size_t capacity)
{
	int ends[2], code = -1;
	ssize_t count;
	pid_t child;

	fflush(stdout);
	if (pipe(ends) || (child = fork()) < 0)
		return -1;
	if (!child) {
		struct jf_loaded *loaded = load(c, 0);

		dup2(ends[1], STDERR_FILENO);
		if (loaded)
			jf_run(loaded, 0);
		_exit(99);
	}
	close(ends[1]);
	for (size_t length = 0; (count = read(ends[0], text + length, capacity - 1 - length)) > 0;
	     length += (size_t)count)
		text[length + (size_t)count] = '\0';
	close(ends[0]);
	waitpid(child, &code, 0);
	return WIFEXITED(code) ? WEXITSTATUS(code) : 256 + WTERMSIG(code);
}

static void on_uncaught(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	uint64_t other = 0;
	bool in_pad = jf_walk_cleanup(walk, &other);

	jf_uncaught_print(arg, cookie, walk, why);
	_exit(why == JF_E_IN_PAD && in_pad && cookie == 77 && other == 7 ? 10 :
	      why == JF_E_NO_BOUNDARY && !in_pad && !pads_log()          ? 11 :
									   12);
}

static void test_ends(void)
{
	static const struct jf_uncaught_handler handler = {.size = sizeof(handler), .call = on_uncaught};
	static char text[8192];
	int code;

	(void)!jf_uncaught_handler_set(&handler, NULL);
	code = run_apart(&pad_throws, text, sizeof(text));
	tap(code == 10 &&
		    strstr(text, "cookie 77 (0x4d): a clean-up pad was running for another throw, cookie 7 (0x7)"),
	    "a throw in a pad is uncaught, with both cookies: %d", code);
	if (code != 10)
		printf("# %s\n", text);
	code = run_apart(&pad_uncaught, text, sizeof(text));
	tap(code == 11, "nothing catches, and no pad runs: %d", code);
	(void)!jf_uncaught_handler_set(NULL, NULL);
}

static uint64_t run_loaded(void *arg)
{
	return jf_run(arg, 0);
}

static void test_past_entry(const struct pad_case *c)
{
	struct jf_loaded *loaded = load(c, 0);
	uint64_t value = 0;
	enum jf_status status = loaded ? jf_try(run_loaded, loaded, &value) : JF_E_INVAL;
	uint64_t log = pads_log();

	tap(status == JF_CAUGHT && value == 33 && log == c->log, "%s: %s, value %" PRIu64 ", log %" PRIx64, c->name,
	    jf_status_name(status), value, log);
	jf_unload(loaded);
}

/* Pads of one convention's frames, and then those of another one's further out. */
static void test_mixed(void)
{
	struct pad_case named = pad_mixed;
	char name[64];

	named.name = name;
	for (unsigned int i = 0; i < host->convention_count; i++) {
		const struct jf_convention *inner = host->conventions[i];

		if (!runs_pads(inner))
			continue;
		snprintf(name, sizeof(name), "%s, the inner one %s", pad_mixed.name, inner->name);
		if (pads_mix(inner))
			test_past_entry(&named);
		else
			tap(false, "%s is not loaded", name);
	}
}

static unsigned int pads_seen;
static uint64_t last_pad;

static void see_frame(void *arg, uint64_t cookie, const struct jf_walk *walk)
{
	(void)arg;
	(void)cookie;
	(void)walk;
}

static void see_pad(void *arg, uint64_t cookie, const struct jf_walk *walk, uint64_t address)
{
	const struct jf_range *range = jf_walk_at(walk)->range;

	(void)arg;
	pads_seen += cookie == 7 && jf_walk_at(walk)->range && address >= range->start && address < range->end;
	last_pad = address;
}

static void test_observer(void)
{
	static const struct jf_throw_observer observer = {.size = sizeof(observer), .call = see_frame, .pad = see_pad};
	struct jf_loaded *loaded = load(&pad_cases[0], 0);

	pads_seen = 0;
	(void)!jf_throw_observer_set(&observer, NULL);
	if (loaded)
		run(loaded, &pad_cases[0]);
	(void)!jf_throw_observer_set(NULL, NULL);
	tap(pads_seen == 3, "an observer sees each pad: %u", pads_seen);
	jf_unload(loaded);
}

static void test_convention(void)
{
	pads_begin(conv);
	test_cases();
	if (conv->cleanup_entry == JF_CLEANUP_CALLED)
		test_areas();
	test_observer();
	test_past_entry(&pad_past_entry);
	test_mixed();
	test_ends();
	test_walks();
	pads_end();
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};

	setvbuf(stdout, NULL, _IOLBF, 0);
	host = jf_backend_host();
	if (jf_thread_init() != JF_OK || jf_cfi_load_objects(NULL) != JF_OK || sigaction(SIGALRM, &action, NULL))
		return 1;
	for (unsigned int i = 0; i < host->convention_count; i++) {
		conv = host->conventions[i];
		if (runs_pads(conv))
			test_convention();
	}
	printf("1..%u\n", tests);
	return failures != 0;
}

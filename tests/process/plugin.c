/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared library as a plugin: plugin LIBRARY. The process has not linked it, and has threads. Prints TAP. */
#include "bpf.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <jitframe/jitframe.h>

#define THREADS 50

/* All that a thread has without asking: a pointer to the rest, and what signal handlers need. */
#define TLS_BYTES_MAX (64 + sizeof(void *))

static pthread_barrier_t together;
static unsigned int test_count, failed_count;

static void report(bool is_ok, const char *name)
{
	printf("%sok %u - %s\n", is_ok ? "" : "not ", ++test_count, name);
	failed_count += !is_ok;
}

/* ---- the library's functions -------------------------------------------------------------------------- */

static struct {
	__typeof__(&jf_backend_host) host;
	__typeof__(&jf_convention_supports) supports;
	__typeof__(&jf_load) load;
	__typeof__(&jf_unload) unload;
	__typeof__(&jf_run) run;
	__typeof__(&jf_publish_start) publish;
	void *throw_cookie;
} api;

static bool find_functions(void *library)
{
	api.host = (__typeof__(api.host))dlsym(library, "jf_backend_host");
	api.supports = (__typeof__(api.supports))dlsym(library, "jf_convention_supports");
	api.load = (__typeof__(api.load))dlsym(library, "jf_load");
	api.unload = (__typeof__(api.unload))dlsym(library, "jf_unload");
	api.run = (__typeof__(api.run))dlsym(library, "jf_run");
	api.publish = (__typeof__(api.publish))dlsym(library, "jf_publish_start");
	api.throw_cookie = dlsym(library, "jf_throw");
	return api.host && api.supports && api.load && api.unload && api.run && api.publish && api.throw_cookie;
}

static const struct jf_convention *find_convention(void)
{
	const struct jf_backend *host = api.host();

	for (unsigned int i = 0; host && i < host->convention_count; i++)
		if (api.supports(host->conventions[i], JF_CAP_RUN | JF_CAP_USER_BASE))
			return host->conventions[i];
	return NULL;
}

/* ---- a program that throws what it has put on its private stack --------------------------------------- */

static struct jf_loaded *loaded, *looker;

static enum jf_status load_program(const struct jf_convention *conv, void *address, bool throws,
				   struct jf_loaded **program_out)
{
	static const struct jf_insn insns[] = {STX(DW, 10, 1, -8), LDX(DW, 1, 10, -8), CALL_HELPER(0), MOV_K(0, 1),
					       EXIT};
	static const struct jf_function function = FUNCTION("main", insns);
	struct jf_import helper = {.name = "helper", .address = (uintptr_t)address, .throws = throws};
	struct jf_program program = {.size = sizeof(program),
				     .functions = &function,
				     .function_count = 1,
				     .callback = -1,
				     .helpers = &helper,
				     .helper_count = 1};
	struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = true};

	return api.load(conv, &program, &opts, NULL, program_out, NULL);
}

/* ---- and one that looks back from a helper: who unwinds is libgcc, which this process has not linked ---- */

static void *outermost;
static bool reaches_the_end;

static uint64_t look_back(void)
{
	void *frames[32];
	int count = backtrace(frames, 32);

	reaches_the_end = false;
	for (int i = 0; i < count; i++)
		reaches_the_end |= frames[i] == outermost;
	return 0;
}

static __attribute__((noinline)) bool looks_back(void)
{
	outermost = __builtin_return_address(0);
	return api.run(looker, 0) == 1 && reaches_the_end;
}

static void publish(const struct jf_convention *conv)
{
	struct jf_error error = {0};

	report(load_program(conv, (void *)(uintptr_t)look_back, false, &looker) == JF_OK && !looks_back() &&
		       api.publish(JF_PUBLISH_CFI, &error) == JF_OK && looks_back(),
	       "backtrace(3) goes to the end once CFI is published");
	if (error.text[0])
		printf("# %s: %s\n", error.where, error.text);
}

static void *run_program(void *arg)
{
	uint64_t cookie = (uintptr_t)arg;
	bool is_right = true;

	pthread_barrier_wait(&together); /* before the library is there */
	pthread_barrier_wait(&together);
	for (unsigned int i = 0; loaded && i < 1000; i++)
		is_right &= api.run(loaded, cookie) == cookie;
	pthread_barrier_wait(&together);
	pthread_barrier_wait(&together); /* after dlclose() */
	if (loaded)
		is_right &= api.run(loaded, cookie) == cookie;
	return (void *)(uintptr_t)is_right;
}

/* ---- its thread-local storage ------------------------------------------------------------------------- */

struct tls {
	const char *path;
	bool is_found;
	size_t bytes;
};

static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct tls *tls = arg;

	(void)size;
	if (strcmp(info->dlpi_name, tls->path) != 0)
		return 0;
	tls->is_found = true;
	for (unsigned int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			tls->bytes += info->dlpi_phdr[i].p_memsz;
	return 1;
}

static void check_tls(const char *path)
{
	struct tls tls = {.path = path};

	dl_iterate_phdr(look_at_object, &tls);
	printf("# %zu bytes of thread-local storage\n", tls.bytes);
	report(tls.is_found && tls.bytes && tls.bytes <= TLS_BYTES_MAX, "thread-local storage is small");
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const struct jf_convention *conv = NULL;
	pthread_t threads[THREADS];
	bool are_right = true;
	void *library;

	pthread_barrier_init(&together, NULL, THREADS + 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run_program, (void *)(i + 1000)))
			return 1;
	pthread_barrier_wait(&together);
	library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!library)
		printf("# %s\n", argc > 1 ? dlerror() : "which library?");
	report(library, "dlopen() in a process with threads");
	if (library)
		check_tls(argv[1]);
	if (library && find_functions(library))
		conv = find_convention();
	if (library && !conv)
		printf("# no convention runs on this host\n");
	if (conv)
		report(load_program(conv, api.throw_cookie, true, &loaded) == JF_OK, "a program loads");
	if (conv)
		publish(conv);
	pthread_barrier_wait(&together);
	pthread_barrier_wait(&together);
	if (library)
		report(dlclose(library) == 0 && dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD),
		       "dlclose() leaves it in place");
	if (conv)
		report(looks_back(), "what was published stays so");
	pthread_barrier_wait(&together);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *is_right;

		pthread_join(threads[i], &is_right);
		are_right &= is_right != NULL;
	}
	if (conv)
		report(are_right, "threads older than the library run programs and throw, after dlclose() too");
	if (conv && loaded)
		api.unload(loaded);
	if (conv && looker)
		api.unload(looker);
	printf("1..%u\n", test_count);
	return failed_count ? 1 : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <glob.h>
#include <math.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>
#include <wchar.h>

/*
 * Calls a good part of the C library, and what throws. Each call is one that a table can lie about: the caller's
 * registers hold something else than those of the context that is gone to.
 */

static ucontext_t home, away;
static char stack[1 << 16];

/* More arguments than registers pass, so that the context's start has some to take away. */
static void there(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j)
{
	printf("%d\n", a + b + c + d + e + f + g + h + i + j);
	swapcontext(&away, &home);
}

/* Numbers that are kept in registers across the call, others than there() has. */
static double change_contexts(double x)
{
	double a = x + 1, b = x + 2, c = x + 3, d = x + 4, e = x + 5, f = x + 6, g = x + 7, h = x + 8;

	for (int i = 0; i < 2; i++)
		swapcontext(&home, &away);
	return a * b + c * d + e * f + g * h;
}

static void contexts(void)
{
	volatile double start = 1.5;
	ucontext_t back;
	volatile int came = 0;

	getcontext(&away);
	away.uc_stack.ss_sp = stack;
	away.uc_stack.ss_size = sizeof(stack);
	away.uc_link = &home;
	makecontext(&away, (void (*)(void))there, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	printf("%g\n", change_contexts(start));
	getcontext(&back);
	if (!came++)
		setcontext(&back);
}

static void jumps(void)
{
	jmp_buf jump;
	sigjmp_buf with_signals;

	if (!setjmp(jump))
		longjmp(jump, 1);
	if (!sigsetjmp(with_signals, 1))
		siglongjmp(with_signals, 1);
}

/* ---- exceptions, as far as C has them ----------------------------------------------------------------- */

static void clean(int *number)
{
	printf("%d", *number);
}

__attribute__((noinline)) static void leave(int depth)
{
	int guard __attribute__((cleanup(clean))) = depth;

	if (!depth)
		pthread_exit(NULL);
	leave(depth - 1);
	printf("%d", guard);
}

static void *thread(void *arg)
{
	leave(3);
	return arg;
}

#define OURS 0x64726976656e

static jmp_buf caught_at;

static _Noreturn void caught(void)
{
	longjmp(caught_at, 1);
}

/* Of all functions here that clean up: the last of them catches what raise() throws. */
_Unwind_Reason_Code __gcc_personality_v0(int version, _Unwind_Action actions, _Unwind_Exception_Class cls,
					 struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
	typedef _Unwind_Reason_Code personality_fn(int, _Unwind_Action, _Unwind_Exception_Class,
						   struct _Unwind_Exception *, struct _Unwind_Context *);
	personality_fn *next = (personality_fn *)dlsym(RTLD_NEXT, "__gcc_personality_v0");

	if (cls != OURS)
		return next(version, actions, cls, exception, context);
	if (actions & _UA_SEARCH_PHASE)
		return _URC_HANDLER_FOUND;
	_Unwind_SetIP(context, (_Unwind_Ptr)caught);
	return _URC_INSTALL_CONTEXT;
}

__attribute__((noinline)) static void throw_ours(_Unwind_Reason_Code (*raise)(struct _Unwind_Exception *))
{
	int guard __attribute__((cleanup(clean))) = 1;
	static struct _Unwind_Exception exception;

	exception = (struct _Unwind_Exception){.exception_class = OURS};
	raise(&exception);
}

static void catch_ours(_Unwind_Reason_Code (*raise)(struct _Unwind_Exception *))
{
	if (!setjmp(caught_at))
		throw_ours(raise);
}

static _Unwind_Reason_Code count(struct _Unwind_Context *context, void *arg)
{
	*(int *)arg += _Unwind_GetIP(context) != 0;
	return _URC_NO_REASON;
}

static void exceptions(void)
{
	struct _Unwind_Exception nobodys = {.exception_class = 1};
	pthread_t id;
	void *pcs[32];
	int frames = 0;

	printf("%d %d\n", backtrace(pcs, 32) > 0, (int)_Unwind_Backtrace(count, &frames));
	printf("%d\n", (int)_Unwind_RaiseException(&nobodys)); /* nobody catches it */
	catch_ours(_Unwind_RaiseException);
	catch_ours(_Unwind_Resume_or_Rethrow);
	for (int i = 0; i < 2; i++)
		if (!pthread_create(&id, NULL, thread, NULL))
			pthread_join(id, NULL);
}

/* ---- all kinds of functions --------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void numbers(void)
{
	static int values[1000];

	printf("%.400f %a %Lg\n", 1e-300, 3.25, 1.25e200L);
	printf("%.17g %f\n", strtod("1.7976931348623157e308", NULL),
	       strtod("123456789012345678901234567890e-250", NULL));
	printf("%g %g %g %g\n", pow(2.5, 3.5), sin(1e10), lgamma(2.5), frexp(3.5, &values[0]));
	printf("%ld %lld %d\n", strtol("12", NULL, 0), strtoll("-12", NULL, 10), atoi("7"));
	for (size_t i = 0; i < 1000; i++)
		values[i] = rand();
	qsort(values, 1000, sizeof(int), compare);
}

static void strings(void)
{
	char buffer[4096] = "one,two", other[64], *rest = NULL;
	wchar_t wide[16];

	strcpy(other, buffer);
	strncpy(other, "three", sizeof(other));
	strcat(other, "x");
	strncat(other, "yz", 2);
	printf("%zu %zu %d %d\n", strlen(other), strnlen(other, 9), strcmp(buffer, other), strncmp(buffer, other, 2));
	printf("%d %d\n", strcasecmp(buffer, other), strncasecmp(buffer, other, 2));
	printf("%p %p %p\n", strchr(buffer, ','), strrchr(buffer, 'o'), strstr(buffer, "two"));
	printf("%zu %zu %p\n", strspn(buffer, "on"), strcspn(buffer, ","), strpbrk(buffer, ","));
	puts(strtok_r(buffer, ",", &rest));
	free(strdup(other));
	free(strndup(other, 3));
	memset(buffer, 1, sizeof(buffer));
	memmove(buffer + 1, buffer, 2000);
	memcpy(buffer + 2100, buffer, 1000);
	printf("%p %p %d\n", memchr(buffer, 3, 4000), memmem(buffer, 4000, "abc", 3), memcmp(buffer, buffer + 1, 99));
	printf("%zu %zu\n", mbstowcs(wide, "wide", 16), wcslen(wide));
}

static void system_things(void)
{
	char buffer[256], *line = NULL;
	time_t now = time(NULL);
	struct timespec moment;
	struct tm fields;
	regex_t pattern;
	size_t size = 0;
	glob_t paths;
	FILE *file = fopen("/etc/passwd", "r");
	int words[2];

	strftime(buffer, sizeof(buffer), "%c", localtime_r(&now, &fields));
	printf("%s %s %d\n", asctime_r(&fields, buffer), ctime_r(&now, buffer), mktime(&fields) == now);
	printf("%d %p\n", clock_gettime(CLOCK_MONOTONIC, &moment), (void *)getpwuid(0));
	if (file && getline(&line, &size, file) > 0)
		printf("%d\n", sscanf(line, "%10s", buffer));
	free(line);
	if (file)
		fclose(file);
	if (!glob("/etc/*.conf", 0, NULL, &paths))
		globfree(&paths);
	if (!regcomp(&pattern, "a(b|c)*d", REG_EXTENDED)) {
		printf("%d\n", regexec(&pattern, "abcbcd", 0, NULL, 0));
		regfree(&pattern);
	}
	snprintf(buffer, sizeof(buffer), "%s", getenv("PATH") ? getenv("PATH") : "");
	printf("%s %d %ld\n", getcwd(buffer, sizeof(buffer)), gethostname(buffer, sizeof(buffer)),
	       sysconf(_SC_PAGESIZE));
	if (!pipe(words)) {
		printf("%zd ", write(words[1], "x", 1));
		printf("%zd\n", read(words[0], buffer, 1));
	}
	fflush(stdout);
	usleep(1);
}

static void memory(void)
{
	char *block = calloc(10, 10), *larger = realloc(block, 1000);
	void *aligned = NULL;

	free(larger);
	if (!posix_memalign(&aligned, 64, 100))
		free(aligned);
	free(aligned_alloc(64, 128));
}

/* Of AddressSanitizer's library, where that is there. */
__attribute__((weak)) uint16_t __sanitizer_unaligned_load16(const void *place);
__attribute__((weak)) uint32_t __sanitizer_unaligned_load32(const void *place);
__attribute__((weak)) uint64_t __sanitizer_unaligned_load64(const void *place);
__attribute__((weak)) void __sanitizer_unaligned_store16(void *place, uint16_t value);
__attribute__((weak)) void __sanitizer_unaligned_store32(void *place, uint32_t value);
__attribute__((weak)) void __sanitizer_unaligned_store64(void *place, uint64_t value);
__attribute__((weak)) void __sanitizer_ptr_sub(void *a, void *b);
__attribute__((weak)) void __sanitizer_ptr_cmp(void *a, void *b);

static void sanitizers(void)
{
	char place[16] = "sanitized", name[32];

	if (!__sanitizer_unaligned_load16)
		return;
	__sanitizer_unaligned_store16(place + 1, __sanitizer_unaligned_load16(place));
	__sanitizer_unaligned_store32(place + 1, __sanitizer_unaligned_load32(place));
	__sanitizer_unaligned_store64(place + 1, __sanitizer_unaligned_load64(place));
	__sanitizer_ptr_sub(place + 1, place);
	__sanitizer_ptr_cmp(place + 1, place);
	for (size_t i = 0; i <= 10; i++) {
		void *(*fake_stack)(size_t);

		snprintf(name, sizeof(name), "__asan_stack_malloc_%zu", i);
		*(void **)&fake_stack = dlsym(RTLD_DEFAULT, name);
		if (fake_stack)
			fake_stack((size_t)64 << i);
		snprintf(name, sizeof(name), "__asan_stack_malloc_always_%zu", i);
		*(void **)&fake_stack = dlsym(RTLD_DEFAULT, name);
		if (fake_stack)
			fake_stack((size_t)64 << i);
	}
}

int main(void)
{
	sanitizers();
	jumps();
	contexts();
	numbers();
	strings();
	memory();
	system_things();
	exceptions();
	return 0;
}

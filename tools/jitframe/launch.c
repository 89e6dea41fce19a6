/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/* ---- where the runner is ------------------------------------------------------------------------ */

struct search {
	const char *arch;
	char found[PATH_MAX];
	FILE *tried;
};

static bool try_path(struct search *s, const char *dir, size_t dir_length, const char *below)
{
	int length = snprintf(s->found, sizeof(s->found), "%.*s%s/jf-runner-%s", (int)dir_length, dir, below, s->arch);

	if (length > 0 && (size_t)length < sizeof(s->found) && access(s->found, X_OK) == 0)
		return true;
	fprintf(s->tried, "\n  %.*s%s", (int)dir_length, dir, below);
	return false;
}

/* JITFRAME_RUNNER_PATH: folders, or the tools/ folders of build directories. */
static bool search_environment(struct search *s)
{
	const char *path = getenv("JITFRAME_RUNNER_PATH");

	while (path && *path) {
		size_t length = strcspn(path, ":");

		if (length > 0 && (try_path(s, path, length, "") || try_path(s, path, length, "/runner")))
			return true;
		path += length;
		if (*path == ':')
			path++;
	}
	return false;
}

/* The installation's folder, this program's, or the build directories that scripts/ make of a source tree. */
static bool search_installation(struct search *s)
{
	char self[PATH_MAX], build[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash;
	size_t dir;

	if (length <= 0)
		return false;
	self[length] = '\0';
	slash = strrchr(self, '/');
	dir = slash ? (size_t)(slash - self) : 0;
	snprintf(build, sizeof(build), "/../../%s/tools/runner", s->arch);
	return try_path(s, self, dir, "/" LIBEXEC) || try_path(s, self, dir, "") || try_path(s, self, dir, "/runner") ||
	       try_path(s, self, dir, build);
}

/* ---- the emulator ------------------------------------------------------------------------------- */

/* The command in front of the runner, its words apart by blanks; empty on this processor itself. */
static void emulator(struct launch *launch, char *command, size_t capacity)
{
	const struct jf_backend *backend = launch->backend;
	char *variable = launch->emulator_variable;
	/* QEMU and the C libraries of Debian and Ubuntu name architectures as LLVM does. */
	int length = (int)strcspn(backend->llvm_triple, "-");
	const char *given;

	snprintf(variable, sizeof(launch->emulator_variable), "JITFRAME_QEMU_%s", backend->name);
	for (char *c = variable; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	given = getenv(variable);
	if (given)
		snprintf(command, capacity, "%s", given);
	else if (backend == jf_backend_host())
		command[0] = '\0';
	else
		snprintf(command, capacity, "qemu-%.*s -L /usr/%.*s-linux-gnu", length, backend->llvm_triple, length,
			 backend->llvm_triple);
}

/* ---- the process -------------------------------------------------------------------------------- */

/* Pipes and the input; -1: not open. */
struct files {
	int input;
	int report[2];
};

static void close_files(struct files *files)
{
	if (files->input >= 0)
		close(files->input);
	if (files->report[0] >= 0)
		close(files->report[0]);
	if (files->report[1] >= 0)
		close(files->report[1]);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

static bool open_files(const struct launch *launch, struct files *files)
{
	*files = (struct files){-1, {-1, -1}};
	files->input = memfd_create("jitframe-input", 0);
	return files->input >= 0 && write_all(files->input, launch->input, launch->input_size) &&
	       lseek(files->input, 0, SEEK_SET) == 0 && pipe(files->report) == 0;
}

/* Does not return: in the child. */
static void become_runner(const struct launch *launch, struct files *files, char *command, const char *runner)
{
	const char *argv[LAUNCH_ARGS_MAX + 16];
	char input[32], report[32];
	unsigned int argc = 0;

	for (char *word = strtok(command, " "); word && argc < 8; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc++] = runner;
	snprintf(report, sizeof(report), "%d", files->report[1]);
	snprintf(input, sizeof(input), "fd:%d", files->input);
	argv[argc++] = "--report-fd";
	argv[argc++] = report;
	argv[argc++] = launch->input_option;
	argv[argc++] = input;
	for (unsigned int i = 0; i < launch->argc; i++)
		argv[argc++] = launch->argv[i];
	argv[argc] = NULL;

	close(files->report[0]);
	if (launch->stdout_to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	execvp(argv[0], (char **)(uintptr_t)argv);
	if (errno == ENOENT && argv[0] != runner && !strchr(argv[0], '/'))
		dprintf(STDERR_FILENO,
			"jitframe: there is no emulator %s in PATH, for programs of %s; %s can name another\n", argv[0],
			launch->backend->name, launch->emulator_variable);
	else
		dprintf(STDERR_FILENO, "jitframe: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int start_process(struct launch *launch, char *command, const char *runner, FILE **report, int *pid)
{
	struct files files;

	if (!open_files(launch, &files)) {
		close_files(&files);
		return cli_failed("cannot hand the programs over: %s", strerror(errno));
	}
	fflush(stdout);
	*pid = fork();
	if (*pid == 0)
		become_runner(launch, &files, command, runner);
	*report = *pid > 0 ? fdopen(files.report[0], "r") : NULL;
	if (*report)
		files.report[0] = -1;
	close_files(&files);
	return *report ? 0 : cli_failed("cannot start %s: %s", runner, strerror(errno));
}

static int find_runner(struct search *search)
{
	char *tried = NULL;
	size_t size = 0;
	bool found;

	search->tried = open_memstream(&tried, &size);
	if (!search->tried)
		return cli_failed("no memory");
	found = search_environment(search) || search_installation(search);
	fclose(search->tried);
	if (!found)
		cli_failed(
			"there is no jf-runner-%s, which runs programs of this architecture; JITFRAME_RUNNER_PATH can "
			"name its folder. Looked for in:%s",
			search->arch, tried);
	free(tried);
	return found ? 0 : CLI_FAILED;
}

int launch_start(struct launch *launch, FILE **report, int *pid)
{
	struct search search = {.arch = launch->backend->name};
	char command[PATH_MAX];

	if (find_runner(&search) != 0)
		return CLI_FAILED;
	emulator(launch, command, sizeof(command));
	return start_process(launch, command, search.found, report, pid);
}

int launch_wait(int pid, struct outcome *outcome)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_failed("cannot wait for the runner: %s", strerror(errno));
	outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	return 0;
}

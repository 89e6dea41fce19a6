/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/perf_file.h"

#include <jitframe/publish.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MAX 200
#define PATH_BYTES (FOLDER_MAX + 56)

/* perf looks for maps here, and nowhere else. */
static char folder[FOLDER_MAX + 1] = "/tmp";

enum jf_status jf_publish_folder_set(const char *path)
{
	size_t length = path ? strlen(path) : 0;

	if (!length || length > FOLDER_MAX)
		return JF_E_INVAL;
	memcpy(folder, path, length + 1);
	return JF_OK;
}

static enum jf_status refuse(const char *path, const char *why, struct jf_error *error)
{
	return jf_error_set(error, JF_E_UNSUPPORTED, "perf", "%s: %s", path, why);
}

enum jf_status jf_perf_file_failed(const char *what, struct jf_error *error)
{
	return refuse(what, strerror(errno), error);
}

/* A file that this user made, and no other name or device. */
static bool is_ours(const struct stat *file)
{
	return S_ISREG(file->st_mode) && file->st_uid == geteuid() && file->st_nlink == 1;
}

/* A link is not followed, nor is anything opened that a write would wait for. */
#define FLAGS (O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static enum jf_status open_ours(const char *path, int *fd, struct jf_error *error)
{
	struct stat file;

	*fd = open(path, FLAGS);
	if (*fd < 0)
		return jf_perf_file_failed(path, error);
	if (!fstat(*fd, &file) && is_ours(&file))
		return JF_OK;
	close(*fd);
	return refuse(path, "a file of somebody else is there", error);
}

static enum jf_status remove_ours(const char *path, struct jf_error *error)
{
	struct stat file;

	if (lstat(path, &file) || !is_ours(&file))
		return refuse(path, "a file of somebody else is there", error);
	return unlink(path) ? jf_perf_file_failed(path, error) : JF_OK;
}

static bool create(const char *path, int *fd)
{
	*fd = open(path, FLAGS | O_CREAT | O_EXCL, 0600);
	return *fd >= 0;
}

enum jf_status jf_perf_file_open(const char *name, enum perf_file_kind kind, int *fd, struct jf_error *error)
{
	char path[PATH_BYTES], file[PATH_BYTES - FOLDER_MAX - 1];

	snprintf(file, sizeof(file), name, (int)getpid());
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (create(path, fd))
		return JF_OK;
	if (errno == EEXIST && kind == PERF_FILE_APPENDED)
		return open_ours(path, fd, error);
	if (errno == EEXIST) {
		enum jf_status status = remove_ours(path, error);

		if (status != JF_OK || create(path, fd))
			return status;
	}
	return jf_perf_file_failed(path, error);
}

bool jf_perf_file_write(int fd, const struct out *out)
{
	size_t done = 0;

	while (!out->failed && done < out->size) {
		ssize_t wrote = write(fd, out->bytes + done, out->size - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		done += (size_t)wrote;
	}
	return !out->failed;
}

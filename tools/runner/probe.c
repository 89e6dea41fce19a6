/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/*
 * The system call write() checks the address it reads from and says EFAULT; a pipe brings the bytes
 * back. process_vm_readv() would do the same in one step, but user-mode emulators lack it. Pieces end
 * where a page may end, so that each is there as a whole or not at all, and always fit a pipe.
 */
#define PIECE_BYTES 4096

static bool read_piece(const int fd[2], void *dst, size_t bytes, uint64_t address)
{
	ssize_t count;

	do {
		count = write(fd[1], (const void *)(uintptr_t)address, bytes);
	} while (count < 0 && errno == EINTR);
	if (count < 0 || (size_t)count != bytes)
		return false;
	do {
		count = read(fd[0], dst, bytes);
	} while (count < 0 && errno == EINTR);
	return count >= 0 && (size_t)count == bytes;
}

static size_t piece_at(uint64_t address, size_t bytes)
{
	size_t to_end = PIECE_BYTES - (size_t)(address % PIECE_BYTES);

	return bytes < to_end ? bytes : to_end;
}

/* Reads up to `bytes`, for strings only until a NUL. returns: how many, or -EFAULT. */
static int64_t read_pieces(uint8_t *dst, size_t bytes, uint64_t address, bool string)
{
	int fd[2];
	size_t done = 0;
	bool good = true;

	/* A pipe of its own for every call: nothing to clean up when threads end. */
	if (pipe(fd) != 0)
		return -EFAULT;
	while (good && done < bytes) {
		size_t piece = piece_at(address + done, bytes - done);
		const uint8_t *end = NULL;

		good = read_piece(fd, dst + done, piece, address + done);
		if (good && string)
			end = memchr(dst + done, '\0', piece);
		done += piece;
		if (end != NULL) {
			done = (size_t)(end - dst) + 1;
			break;
		}
	}
	close(fd[0]);
	close(fd[1]);
	return good ? (int64_t)done : -EFAULT;
}

size_t probe_text(uint8_t *dst, size_t bytes, uint64_t address, bool *is_whole)
{
	int fd[2];
	size_t done = 0;

	*is_whole = pipe(fd) == 0;
	if (!*is_whole)
		return 0;
	while (*is_whole && done < bytes) {
		size_t piece = piece_at(address + done, bytes - done);

		*is_whole = read_piece(fd, dst + done, piece, address + done);
		if (!*is_whole)
			break;
		done += piece;
		if (memchr(dst + done - piece, '\0', piece) != NULL)
			break;
	}
	close(fd[0]);
	close(fd[1]);
	return strnlen((const char *)dst, done);
}

int64_t probe_memory(void *dst, size_t bytes, uint64_t address)
{
	int64_t result = read_pieces(dst, bytes, address, false);

	if (result < 0)
		memset(dst, 0, bytes);
	return result < 0 ? result : 0;
}

int64_t probe_read_string(char *dst, size_t bytes, uint64_t address)
{
	int64_t result = read_pieces((uint8_t *)dst, bytes, address, true);

	if (result < 0)
		memset(dst, 0, bytes);
	if (result <= 0)
		return result;
	dst[result - 1] = '\0';
	return result;
}

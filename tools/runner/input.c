/* SPDX-License-Identifier: BSD-2-Clause */
#include "input.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define FILE_BYTES_MAX ((size_t)256 << 20)
#define REPEAT_MAX     100000000
#define THREADS_MAX    1024

/* clang-format off */
static const struct option options[] = {
	{"bundle", required_argument, NULL, 'b'},
	{"target", required_argument, NULL, 't'},
	{"program", required_argument, NULL, 'p'},
	{"ctx", required_argument, NULL, 'c'},
	{"packet", required_argument, NULL, 'k'},
	{"trace", no_argument, NULL, 'T'},
	{"repeat", required_argument, NULL, 'n'},
	{"threads", required_argument, NULL, 'j'},
	{"check-registers", no_argument, NULL, 'R'},
	{"landing-pads", no_argument, NULL, 'L'},
	{"sign-return", no_argument, NULL, 'S'},
	{"private-stack", no_argument, NULL, 'P'},
	{"indexed-stack", required_argument, NULL, 'i'},
	{"set", required_argument, NULL, 's'},
	{"dump", required_argument, NULL, 'd'},
	{"publish", required_argument, NULL, 'u'},
	{"publish-folder", required_argument, NULL, 'F'},
	{"report-fd", required_argument, NULL, 'r'},
	{"batch", required_argument, NULL, 'B'},
	{NULL, 0, NULL, 0},
};
/* clang-format on */

/* in: text wholly decimal. */
static bool parse_number(const char *what, const char *text, unsigned long min, unsigned long max, uint32_t *value)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < min || number > max) {
		report_error_text("%s: \"%s\" is not a number from %lu to %lu", what, text, min, max);
		return false;
	}
	*value = (uint32_t)number;
	return true;
}

static bool add_word(const char *option, const char **list, unsigned int *count)
{
	if (*count == INPUT_SETS_MAX) {
		report_error_text("%s: more than %d", option, INPUT_SETS_MAX);
		return false;
	}
	list[(*count)++] = optarg;
	return true;
}

static bool parse_option(struct input *input, int option)
{
	uint32_t fd;

	switch (option) {
	case 'b': input->bundle = optarg; return true;
	case 'B': input->batch = optarg; return true;
	case 't': input->target = optarg; return true;
	case 'p': input->program = optarg; return true;
	case 'c': input->ctx = optarg; return true;
	case 'k': input->packet = optarg; return true;
	case 'T': input->trace = true; return true;
	case 'R': input->run.check_registers = true; return true;
	case 'L': input->compile.landing_pads = true; return true;
	case 'S': input->compile.sign_return = true; return true;
	case 'P': input->compile.private_stack = true; return true;
	case 'i': return parse_number("--indexed-stack", optarg, 1, UINT32_MAX, &input->compile.indexed_stack_bytes);
	case 's': return add_word("--set", input->sets, &input->set_count);
	case 'd': return add_word("--dump", input->dumps, &input->dump_count);
	case 'u': input->publish = optarg; return true;
	case 'F': input->publish_folder = optarg; return true;
	case 'n': return parse_number("--repeat", optarg, 1, REPEAT_MAX, &input->run.repeat);
	case 'j': return parse_number("--threads", optarg, 1, THREADS_MAX, &input->run.threads);
	case 'r':
		if (!parse_number("--report-fd", optarg, 0, INT32_MAX, &fd))
			return false;
		input->report_fd = (int)fd;
		/* At once: the next option may be the wrong one. */
		report_open(input->report_fd);
		return true;
	default: report_error_text("unknown option, or one without its value"); return false;
	}
}

bool input_parse(struct input *input, int argc, char **argv)
{
	int option;

	memset(input, 0, sizeof(*input));
	optind = 0; /* a child of a batch parses a second time */
	input->report_fd = -1;
	input->compile.size = sizeof(input->compile);
	input->run.repeat = 1;
	input->run.threads = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!parse_option(input, option))
			return false;
	}
	if (optind != argc) {
		report_error_text("unexpected argument \"%s\"", argv[optind]);
		return false;
	}
	if (input->batch == NULL && (input->bundle == NULL || input->target == NULL)) {
		report_error_text("--bundle and --target are needed, or --batch");
		return false;
	}
	return true;
}

/* ---- files ------------------------------------------------------------------------------------ */

/* Doubles a buffer. returns: 0, or an errno value. */
static int grow(uint8_t **bytes, size_t *capacity)
{
	size_t larger = *capacity > 0 ? *capacity * 2 : 64 << 10;
	uint8_t *moved;

	if (larger > FILE_BYTES_MAX)
		return EFBIG;
	moved = realloc(*bytes, larger);
	if (moved == NULL)
		return ENOMEM;
	*bytes = moved;
	*capacity = larger;
	return 0;
}

/* Reads to the end. owns: the caller frees *bytes, also on failure. returns: 0, or an errno value. */
static int read_fd(int fd, uint8_t **bytes, size_t *count)
{
	size_t capacity = 0;

	*bytes = NULL;
	*count = 0;
	for (;;) {
		int failure = *count == capacity ? grow(bytes, &capacity) : 0;
		ssize_t got;

		if (failure != 0)
			return failure;
		got = read(fd, *bytes + *count, capacity - *count);
		if (got < 0 && errno != EINTR)
			return errno;
		if (got == 0)
			return 0;
		*count += got > 0 ? (size_t)got : 0;
	}
}

bool input_read(const char *name, uint8_t **bytes, size_t *count)
{
	bool is_fd = strncmp(name, "fd:", 3) == 0;
	uint32_t number;
	int fd, failure;

	if (is_fd) {
		if (!parse_number("--bundle", name + 3, 0, INT32_MAX, &number))
			return false;
		fd = (int)number;
	} else {
		fd = open(name, O_RDONLY | O_CLOEXEC);
	}
	failure = fd < 0 ? errno : read_fd(fd, bytes, count);
	if (fd >= 0 && !is_fd)
		close(fd);
	if (failure == 0)
		return true;
	report_error_text("%s: %s", name, strerror(failure));
	if (fd >= 0)
		free(*bytes);
	return false;
}

/* ---- bytes of options ------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_hex(const char *option, const char *text, uint8_t **bytes, size_t *count)
{
	size_t digits = strlen(text);
	uint8_t *buffer = malloc(digits / 2 + 1);

	if (buffer == NULL) {
		report_error_text("%s: no memory", option);
		return false;
	}
	for (size_t i = 0; i < digits; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0) {
			report_error_text("%s: \"%s\" is not pairs of hexadecimal digits", option, text);
			free(buffer);
			return false;
		}
		buffer[i / 2] = (uint8_t)(high << 4 | low);
	}
	*bytes = buffer;
	*count = digits / 2;
	return true;
}

bool input_bytes(const char *option, const char *text, size_t max, uint8_t **bytes, size_t *count)
{
	bool read = text[0] == '@' ? input_read(text + 1, bytes, count) : parse_hex(option, text, bytes, count);

	if (!read)
		return false;
	if (*count > max) {
		report_error_text("%s: %zu bytes are more than %zu", option, *count, max);
		free(*bytes);
		return false;
	}
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "R6 R7 R10". returns: whether it is such a list. */
static bool read_regs(const char *text, uint16_t *used)
{
	uint16_t regs = 0;
	unsigned int reg;
	int length = 0;

	if (*text != 'R')
		return false;
	for (; sscanf(text, "R%u%n", &reg, &length) == 1 && reg < 16; text += text[length] ? length + 1 : length)
		regs |= (uint16_t)(1u << reg);
	if (*text)
		return false;
	*used = regs;
	return true;
}

/* "WORDS at 0x1234": cuts the address off. */
static void read_address(char *text, uint64_t *address)
{
	char *at = strstr(text, " at 0x");

	if (!at)
		return;
	*address = strtoull(at + 4, NULL, 16);
	*at = '\0';
}

static uint64_t *address_of(struct jf_values *values, const char *text)
{
	if (strncmp(text, "arena", 5) == 0)
		return &values->arena_base;
	return strncmp(text, "word", 4) == 0 ? &values->private_stack_word : &values->private_stack;
}

static bool read_phrase(char *text, const struct jf_convention *conv, struct sample *sample)
{
	struct jf_frame_spec *spec = &sample->spec;
	enum jf_role role;
	unsigned int number;
	int length = 0;

	read_address(text, address_of(&sample->values, text));
	if (strncmp(text, "private stack ", 14) == 0) {
		spec->private_stack = true;
		text += strlen("private ");
	}
	if (read_regs(text, &spec->bpf_regs_used) || strcmp(text, "nothing used") == 0 || strcmp(text, "word") == 0)
		return true;
	if (jf_role_parse(text, &role) == JF_OK)
		spec->role = role;
	else if (strcmp(text, "the largest stack") == 0)
		spec->bpf_stack_bytes = conv->bpf_stack_max_bytes;
	else if (sscanf(text, "%u outgoing argument%n", &number, &length) == 1 && length && number <= UINT8_MAX)
		spec->out_args = (uint8_t)number;
	else if (sscanf(text, "stack %u%n", &number, &length) == 1 && length && !text[length])
		spec->bpf_stack_bytes = number;
	else if (strcmp(text, "tail calls") == 0)
		spec->tail_calls = true;
	else if (strcmp(text, "arena") == 0)
		spec->arena = true;
	else if (strcmp(text, "landing pads") == 0)
		spec->landing_pads = true;
	else if (strcmp(text, "signed return") == 0)
		spec->sign_return = true;
	else if (strcmp(text, "cleanups") == 0)
		spec->cleanups = true;
	else if (strcmp(text, "throws") == 0)
		spec->throws = true;
	else if (strcmp(text, "hardened") == 0)
		spec->landing_pads = spec->sign_return = true;
	else
		return false;
	return true;
}

const char *sample_read(const char *title, const struct jf_convention *conv, struct sample *sample)
{
	static char text[256];
	char *next = text;

	*sample = (struct sample){
		.spec = JF_FRAME_SPEC_INIT,
		.values = {.arena_base = UINT64_C(0x00007f1234560000),
			   .private_stack = UINT64_C(0x00000fedcba98760),
			   .private_stack_word = (uint64_t)-40},
	};
	snprintf(text, sizeof(text), "%s", title);
	for (char *phrase = next; phrase; phrase = next) {
		next = strstr(phrase, ", ");
		if (next) {
			*next = '\0';
			next += 2;
		}
		if (!read_phrase(phrase, conv, sample))
			return phrase;
	}
	return NULL;
}

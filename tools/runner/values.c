/* SPDX-License-Identifier: BSD-2-Clause */
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps.h"
#include "programs.h"
#include "report.h"

#define NAME_BYTES_MAX  256
#define KEY_BYTES_MAX   256
#define VALUE_BYTES_MAX 4096
#define SHOWN_BYTES_MAX 256 /* of a key or value that is reported */

/* ---- text to bytes ----------------------------------------------------------------------------- */

static bool parse_hex(const char *text, uint8_t *bytes, uint32_t count)
{
	if (strlen(text) != (size_t)count * 2)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const char pair[] = {text[2 * i], text[2 * i + 1], '\0'};

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			return false;
		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

/* Whether 64 bits are what the low `count` bytes of them say, with or without a sign. */
static bool fits(uint64_t number, bool negative, uint32_t count)
{
	if (count == 8)
		return true;
	return negative ? (int64_t)number >= -(INT64_C(1) << (8 * count - 1)) : number >> 8 * count == 0;
}

static bool parse_number(const char *text, uint8_t *bytes, uint32_t count)
{
	bool negative = text[0] == '-';
	uint64_t number;
	char *end;

	if (!isdigit((unsigned char)text[negative]) || count == 0 || count > 8)
		return false;
	errno = 0;
	number = negative ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (*end != '\0' || errno != 0 || !fits(number, negative, count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	return true;
}

static enum jf_status parse(const char *what, const char *text, uint8_t *bytes, uint32_t count, uint32_t max,
			    struct jf_error *error)
{
	bool hex = strncmp(text, "hex:", 4) == 0;

	if (count > max)
		return jf_error_set(error, JF_E_INVAL, what, "%u bytes are more than --set takes, %u", count, max);
	if (hex ? parse_hex(text + 4, bytes, count) : parse_number(text, bytes, count))
		return JF_OK;
	return jf_error_set(error, JF_E_INVAL, what, "\"%s\" is no value of %u bytes; a number, or hex: and %u digits",
			    text, count, 2 * count);
}

/* ---- names ------------------------------------------------------------------------------------- */

/* returns: where the variable is, or NULL. */
static uint8_t *find_variable(const struct bundle *bundle, const char *name, uint32_t *bytes)
{
	for (uint32_t i = 0; i < bundle->count[BUNDLE_VARIABLES]; i++) {
		const struct bundle_variable *variable = &bundle->variables[i];
		const struct map *map = maps_at(variable->map);

		if (strcmp(bundle->strings + variable->name, name) != 0)
			continue;
		*bytes = variable->bytes;
		if (map->arena != NULL)
			return map_arena_at(map, variable->off);
		/* A bundle may give variables to a map whose memory is not its value. */
		if (map->memory == NULL || (uint64_t)variable->off + variable->bytes > map->memory_bytes)
			return NULL;
		return map->memory + variable->off;
	}
	return NULL;
}

static enum jf_status find_map(const char *name, struct map **map, struct jf_error *error)
{
	int64_t index = maps_find(name);

	if (index < 0)
		return jf_error_set(error, JF_E_NOT_FOUND, name, "there is no variable or map of this name");
	*map = maps_at((uint32_t)index);
	return maps_usable((uint32_t)index, error);
}

/* ---- setting ----------------------------------------------------------------------------------- */

static enum jf_status set_program(const char *name, const char *key, const char *program, struct jf_error *error)
{
	uint8_t bytes[4];
	uint32_t index;
	enum jf_status status = parse(name, key, bytes, sizeof(bytes), sizeof(bytes), error);

	memcpy(&index, bytes, sizeof(index));
	return status == JF_OK ? programs_set(name, index, program, error) : status;
}

static enum jf_status set_element(const char *name, const char *key, const char *text, struct jf_error *error)
{
	uint8_t key_bytes[KEY_BYTES_MAX], value[VALUE_BYTES_MAX];
	struct map *map = NULL;
	enum jf_status status = find_map(name, &map, error);
	int64_t result;

	if (status == JF_OK && map->slots != NULL)
		return set_program(name, key, text, error);
	if (status == JF_OK)
		status = parse(name, key, key_bytes, map->key_bytes, sizeof(key_bytes), error);
	if (status == JF_OK)
		status = parse(name, text, value, map->value_bytes, sizeof(value), error);
	if (status != JF_OK)
		return status;
	result = map->ops->update(map, key_bytes, value, MAP_UPDATE_ANY);
	if (result == 0)
		return JF_OK;
	return jf_error_set(error, JF_E_INVAL, name, "element %s cannot be set: %s", key, strerror((int)-result));
}

enum jf_status values_set(const struct bundle *bundle, const char *text, struct jf_error *error)
{
	size_t length = strcspn(text, "[=");
	char name[NAME_BYTES_MAX], key[2 * KEY_BYTES_MAX + 8];
	const char *close = text[length] == '[' ? strstr(text + length, "]=") : NULL;
	uint32_t bytes;
	uint8_t *at;

	if (length == 0 || length >= sizeof(name) || (text[length] == '[' ? close == NULL : text[length] != '=') ||
	    (close != NULL && (size_t)(close - text) - length > sizeof(key)))
		return jf_error_set(error, JF_E_INVAL, "--set", "\"%s\" is not VARIABLE=VALUE or MAP[KEY]=VALUE", text);
	snprintf(name, sizeof(name), "%.*s", (int)length, text);
	if (close != NULL) {
		snprintf(key, sizeof(key), "%.*s", (int)((size_t)(close - text) - length - 1), text + length + 1);
		return set_element(name, key, close + 2, error);
	}
	at = find_variable(bundle, name, &bytes);
	if (at == NULL)
		return jf_error_set(error, JF_E_NOT_FOUND, name, "there is no variable of this name");
	return parse(name, text + length + 1, at, bytes, UINT32_MAX, error);
}

/* ---- showing ----------------------------------------------------------------------------------- */

static void hex_text(char text[2 * SHOWN_BYTES_MAX + 4], const uint8_t *bytes, uint32_t count)
{
	uint32_t shown = count < SHOWN_BYTES_MAX ? count : SHOWN_BYTES_MAX;

	for (uint32_t i = 0; i < shown; i++)
		sprintf(text + 2 * (size_t)i, "%02x", bytes[i]);
	strcpy(text + 2 * (size_t)shown, shown < count ? "..." : "");
}

static bool all_zero(const uint8_t *bytes, uint32_t count)
{
	return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static uint64_t show_element(uint64_t object, uint64_t key, uint64_t value, uint64_t name, uint64_t unused)
{
	const struct map *map = (const struct map *)(uintptr_t)object;
	const uint8_t *key_bytes = (const uint8_t *)(uintptr_t)key, *bytes = (const uint8_t *)(uintptr_t)value;
	char key_text[2 * SHOWN_BYTES_MAX + 4], text[2 * SHOWN_BYTES_MAX + 4];

	(void)unused;
	if (map->ops == &map_array_ops && all_zero(bytes, map->value_bytes))
		return 0;
	hex_text(key_text, key_bytes, map->key_bytes);
	hex_text(text, bytes, map->value_bytes);
	report("value name=%s key=hex:%s bytes=hex:%s", (const char *)(uintptr_t)name, key_text, text);
	return 0;
}

enum jf_status values_dump(const struct bundle *bundle, const char *name, struct jf_error *error)
{
	char text[2 * SHOWN_BYTES_MAX + 4];
	uint32_t bytes;
	const uint8_t *at = find_variable(bundle, name, &bytes);
	enum jf_status status;
	struct map *map = NULL;

	if (at != NULL) {
		hex_text(text, at, bytes);
		report("value name=%s bytes=hex:%s", name, text);
		return JF_OK;
	}
	status = find_map(name, &map, error);
	if (status == JF_OK && map->ops->for_each(map, show_element, (uintptr_t)name) < 0)
		return jf_error_set(error, JF_E_UNSUPPORTED, name, "maps of this type have no elements to show");
	return status;
}

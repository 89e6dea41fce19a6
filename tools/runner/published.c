/* SPDX-License-Identifier: BSD-2-Clause */
#include "published.h"

#include <inttypes.h>

#include "report.h"

static uint32_t consumers;

enum jf_status published_start(const char *list, const char *folder, struct jf_error *error)
{
	enum jf_status status;
	uint32_t asked;

	if (list == NULL)
		return JF_OK;
	if (folder != NULL && jf_publish_folder_set(folder) != JF_OK)
		return jf_error_set(error, JF_E_INVAL, "--publish-folder",
				    "the name is empty, or longer than 200 bytes");
	status = jf_publish_parse(list, &asked, error);
	if (status == JF_OK)
		status = jf_publish_start(asked, error);
	if (status == JF_OK)
		consumers = asked;
	return status;
}

void published_report(void)
{
	for (uint32_t left = consumers; left != 0; left &= left - 1) {
		struct jf_publish_counts counts = {.size = sizeof(counts)};
		enum jf_publish consumer = (enum jf_publish)(left & -left);

		if (jf_publish_count(consumer, &counts) == JF_OK)
			report("published consumer=%s ranges=%" PRIu64 " refused=%" PRIu64, jf_publish_name(consumer),
			       counts.ranges, counts.refused);
	}
}

void published_stop(void)
{
	if (consumers != 0)
		(void)!jf_publish_stop(consumers);
	consumers = 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "objects.h"

#include <errno.h>
#include <stddef.h>

/* A ring through the head. */

static void begin(struct list_node *head)
{
	if (head->next == NULL)
		head->next = head->prev = head;
}

int32_t list_add(struct list_node *head, struct list_node *node, struct list_node *prev)
{
	begin(head);
	if (node->owner != NULL || (prev != head && prev->owner != head)) {
		object_drop_around(node);
		return -EINVAL;
	}
	node->next = prev->next;
	node->prev = prev;
	prev->next->prev = node;
	prev->next = node;
	node->owner = head;
	return 0;
}

int32_t list_push_front(struct list_node *head, struct list_node *node)
{
	return list_add(head, node, head);
}

int32_t list_push_back(struct list_node *head, struct list_node *node)
{
	begin(head);
	return list_add(head, node, head->prev);
}

struct list_node *list_del(struct list_node *head, struct list_node *node)
{
	begin(head);
	if (node == head || node->owner != head)
		return NULL;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->owner = NULL;
	return node;
}

struct list_node *list_front(struct list_node *head)
{
	begin(head);
	return head->next != head ? head->next : NULL;
}

struct list_node *list_back(struct list_node *head)
{
	begin(head);
	return head->prev != head ? head->prev : NULL;
}

struct list_node *list_pop_front(struct list_node *head)
{
	struct list_node *node = list_front(head);

	return node != NULL ? list_del(head, node) : NULL;
}

struct list_node *list_pop_back(struct list_node *head)
{
	struct list_node *node = list_back(head);

	return node != NULL ? list_del(head, node) : NULL;
}

bool list_is_first(struct list_node *head, struct list_node *node)
{
	return node->owner == head && head->next == node;
}

bool list_is_last(struct list_node *head, struct list_node *node)
{
	return node->owner == head && head->prev == node;
}

bool list_empty(struct list_node *head)
{
	return list_front(head) == NULL;
}

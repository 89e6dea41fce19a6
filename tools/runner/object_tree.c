/* SPDX-License-Identifier: BSD-2-Clause */
#include "objects.h"

#include <errno.h>
#include <stddef.h>

/* A search tree: what is less is on the left. */

int32_t tree_add(struct tree_root *root, struct tree_node *node, tree_less less)
{
	struct tree_node **link = &root->top, *parent = NULL;

	if (node->owner != NULL) {
		object_drop_around(node);
		return -EINVAL;
	}
	while (*link != NULL) {
		parent = *link;
		link = less((uintptr_t)node, (uintptr_t)parent, 0, 0, 0) != 0 ? &parent->left : &parent->right;
	}
	*node = (struct tree_node){.parent = parent, .owner = root};
	*link = node;
	return 0;
}

/* Puts `heir`, or nothing, where the node is. */
static void inherit(struct tree_root *root, const struct tree_node *node, struct tree_node *heir)
{
	struct tree_node **link = &root->top;

	if (node->parent != NULL)
		link = node->parent->left == node ? &node->parent->left : &node->parent->right;
	*link = heir;
	if (heir != NULL)
		heir->parent = node->parent;
}

static struct tree_node *leftmost(struct tree_node *node)
{
	while (node != NULL && node->left != NULL)
		node = node->left;
	return node;
}

struct tree_node *tree_remove(struct tree_root *root, struct tree_node *node)
{
	struct tree_node *heir;

	if (node->owner != root)
		return NULL;
	heir = node->left == NULL ? node->right : node->right == NULL ? node->left : leftmost(node->right);
	if (node->left != NULL && node->right != NULL) {
		if (heir->parent != node) {
			inherit(root, heir, heir->right);
			heir->right = node->right;
			heir->right->parent = heir;
		}
		heir->left = node->left;
		heir->left->parent = heir;
	}
	inherit(root, node, heir);
	*node = (struct tree_node){.owner = NULL};
	return node;
}

struct tree_node *tree_first(struct tree_root *root)
{
	return leftmost(root->top);
}

struct tree_node *tree_top(struct tree_root *root)
{
	return root->top;
}

struct tree_node *tree_left(struct tree_root *root, struct tree_node *node)
{
	return node->owner == root ? node->left : NULL;
}

struct tree_node *tree_right(struct tree_root *root, struct tree_node *node)
{
	return node->owner == root ? node->right : NULL;
}

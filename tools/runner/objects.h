/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_OBJECTS_H
#define JF_RUNNER_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Objects that programs allocate, and the lists and trees that they put them into: the kfuncs bpf_obj_*(),
 * bpf_refcount_acquire(), bpf_list_*(), bpf_rbtree_*(). Semantics are the kernel's, but for two points: references are
 * counted in front of an object, not in a field of it, and a tree is not balanced. All zero is an empty list, an empty
 * tree, a node of neither. Programs hold locks of theirs around lists and trees.
 */

/* in: bytes, which the linker puts in the place of the type's number. returns: zeroed memory with one reference. */
void *object_new(uint64_t bytes);
/* Gives a reference up; the last one frees. */
void object_drop(void *object);
void *object_acquire(void *object);
/* Gives up the reference of the object that the address lies in. */
void object_drop_around(const void *address);
/* All that are left. */
void objects_fini(void);

/* struct bpf_list_head and struct bpf_list_node, as programs have them; of a head `owner` is not there. */
struct list_node {
	struct list_node *next, *prev;
	void *owner; /* the head of the list that the node is in */
};

/* returns of adding: 0; -EINVAL: the node is in a list, or `prev` is not in this one. The object is dropped then. */
int32_t list_push_front(struct list_node *head, struct list_node *node);
int32_t list_push_back(struct list_node *head, struct list_node *node);
int32_t list_add(struct list_node *head, struct list_node *node, struct list_node *prev);
/* returns: NULL: there is none, or the node is not in this list. */
struct list_node *list_pop_front(struct list_node *head);
struct list_node *list_pop_back(struct list_node *head);
struct list_node *list_front(struct list_node *head);
struct list_node *list_back(struct list_node *head);
struct list_node *list_del(struct list_node *head, struct list_node *node);
bool list_is_first(struct list_node *head, struct list_node *node);
bool list_is_last(struct list_node *head, struct list_node *node);
bool list_empty(struct list_node *head);

/* struct bpf_rb_node and struct bpf_rb_root, as programs have them. */
struct tree_node {
	struct tree_node *parent, *right, *left;
	void *owner; /* the root of the tree that the node is in */
};
struct tree_root {
	struct tree_node *top;
	uint64_t unused;
};
typedef uint64_t (*tree_less)(uint64_t a, uint64_t b, uint64_t, uint64_t, uint64_t);

int32_t tree_add(struct tree_root *root, struct tree_node *node, tree_less less);
struct tree_node *tree_remove(struct tree_root *root, struct tree_node *node);
struct tree_node *tree_first(struct tree_root *root);
struct tree_node *tree_top(struct tree_root *root);
struct tree_node *tree_left(struct tree_root *root, struct tree_node *node);
struct tree_node *tree_right(struct tree_root *root, struct tree_node *node);

#endif

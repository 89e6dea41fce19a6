/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_test.h"

/* Objects that a program allocates, in a list and in a tree; and fields of an arena's map. */

struct bpf_list_head {
	u64 opaque[2];
};
struct bpf_list_node {
	u64 opaque[3];
};
struct bpf_rb_root {
	u64 opaque[2];
};
struct bpf_rb_node {
	u64 opaque[4];
};

extern void *bpf_obj_new(u64 type) __ksym;
extern void bpf_obj_drop(void *object) __ksym;
extern void *bpf_refcount_acquire(void *object) __ksym;
extern int bpf_list_push_front(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern int bpf_list_push_back(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern int bpf_list_add(struct bpf_list_head *head, struct bpf_list_node *node, struct bpf_list_node *prev) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_back(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_del(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern _Bool bpf_list_is_first(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern _Bool bpf_list_is_last(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern _Bool bpf_list_empty(struct bpf_list_head *head) __ksym;
typedef _Bool (*less)(struct bpf_rb_node *, const struct bpf_rb_node *);
extern int bpf_rbtree_add(struct bpf_rb_root *root, struct bpf_rb_node *node, less less) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
static void *(*const bpf_kptr_xchg)(void *place, void *object) = (void *)194;

#define new_of(type) ((type *)bpf_obj_new(__builtin_btf_type_id(*(type *)0, 0)))

struct item {
	u64 key;
	struct bpf_list_node list;
	struct bpf_rb_node tree;
};
#define OF_LIST(node) ((struct item *)((u8 *)(node)-8))
#define OF_TREE(node) ((struct item *)((u8 *)(node)-32))

static struct bpf_list_head list, other_list;
static struct bpf_rb_root tree;
static struct item *kept;

static __noinline struct item *make(u64 key)
{
	struct item *item = new_of(struct item);

	if (item)
		item->key = key;
	return item;
}

SEC("tc") u64 lists(void *ctx)
{
	struct item *a = make(1), *b = make(2), *c = make(3);
	u64 number = 0;

	CHECK(a && b && c, 1);
	CHECK(c->tree.opaque[3], 0);
	CHECK(bpf_list_empty(&list), 1);
	CHECK(bpf_list_pop_front(&list), NULL);
	CHECK(bpf_list_push_back(&list, &b->list), 0);
	CHECK(bpf_list_push_front(&list, &a->list), 0);
	CHECK(bpf_list_add(&list, &c->list, &b->list), 0);
	CHECK(bpf_list_is_first(&list, &a->list) && bpf_list_is_last(&list, &c->list), 1);
	CHECK(bpf_list_is_first(&other_list, &a->list), 0);
	CHECK(OF_LIST(bpf_list_front(&list))->key * 10 + OF_LIST(bpf_list_back(&list))->key, 13);
	CHECK(bpf_list_del(&other_list, &b->list), NULL);
	CHECK(bpf_list_del(&list, &b->list), &b->list);
	CHECK(bpf_list_add(&list, &b->list, &b->list), -EINVAL); /* b is dropped */
	bpf_refcount_acquire(a);
	CHECK(bpf_list_push_back(&other_list, &a->list), -EINVAL);
	CHECK(a->key, 1);
	CHECK(bpf_list_pop_back(&list), &c->list);
	CHECK(bpf_list_pop_front(&list), &a->list);
	CHECK(bpf_list_empty(&list), 1);
	CHECK(bpf_kptr_xchg(&kept, c), NULL);
	CHECK(bpf_kptr_xchg(&kept, NULL), c);
	bpf_obj_drop(a);
	bpf_obj_drop(c);
	return 0;
}

static _Bool is_less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return OF_TREE(a)->key < OF_TREE(b)->key;
}

#define COUNT 100

static struct item *third[COUNT];

/* In an order that is none, and out again from the lowest on, every third one by itself first. */
SEC("tc") u64 trees(void *ctx)
{
	struct bpf_rb_node *node;
	struct item *item;
	u64 number = 0, sum = 0, last = 0;

	for (u64 i = 1; i < COUNT; i++) {
		item = make(i * 37 % COUNT + 1);
		CHECK(item && bpf_rbtree_add(&tree, &item->tree, is_less) == 0, 1);
		third[i] = i % 3 ? NULL : item;
	}
	node = bpf_rbtree_root(&tree);
	CHECK(OF_TREE(bpf_rbtree_left(&tree, node))->key < OF_TREE(node)->key, 1);
	CHECK(OF_TREE(bpf_rbtree_right(&tree, node))->key >= OF_TREE(node)->key, 1);
	for (u64 i = 1; i < COUNT; i++) {
		if (!third[i])
			continue;
		CHECK(bpf_rbtree_remove(&tree, &third[i]->tree), &third[i]->tree);
		CHECK(bpf_rbtree_remove(&tree, &third[i]->tree), NULL);
		sum += third[i]->key;
		bpf_obj_drop(third[i]);
	}
	while ((node = bpf_rbtree_first(&tree))) {
		item = OF_TREE(node);
		CHECK(item->key > last, 1);
		last = item->key;
		sum += item->key;
		CHECK(bpf_rbtree_remove(&tree, node), node);
		bpf_obj_drop(item);
	}
	CHECK(sum, COUNT * (COUNT + 1) / 2 - 1);
	return 0;
}

struct {
	__uint(type, MAP_ARENA);
	__uint(map_flags, 1 << 10);
	__uint(max_entries, 3);
} arena SEC(".maps");

struct bpf_map {
	u64 others[9];
	u32 max_entries, key_size;
} __attribute__((preserve_access_index));
struct bpf_arena {
	struct bpf_map map;
	u64 others[3], user_vm_start;
} __attribute__((preserve_access_index));

SEC("tc") u64 map_fields(void *ctx)
{
	struct bpf_arena *seen = (struct bpf_arena *)&arena;
	u64 number = 0;

	CHECK(seen->map.max_entries, 3);
	CHECK((u64)bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0), seen->user_vm_start);
	return 0;
}

SEC("?tc") u64 map_field_none(void *ctx)
{
	return ((struct bpf_map *)&arena)->key_size;
}

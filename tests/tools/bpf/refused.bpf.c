/* SPDX-License-Identifier: BSD-2-Clause */

/* Objects that cannot be linked, one for each name that is defined. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define EXCEPTION_CB(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

#if defined(CASE_unknown_helper)
SEC("tc") int program(void *ctx)
{
	return *(int *)ctx ? bpf_get_current_task() : 0;
}

#elif defined(CASE_helper_without_name)
static long (*helper)(void) = (void *)9999;
SEC("tc") int program(void *ctx)
{
	return helper();
}

#elif defined(CASE_unknown_kfunc)
extern int kfunc_of_tomorrow(void) __ksym;
static __noinline int sub(void)
{
	return kfunc_of_tomorrow() + 1;
}
SEC("tc") int program(void *ctx)
{
	return sub() + 1;
}

#elif defined(CASE_kfunc_argument)
extern int jf_seventh(unsigned int x) __ksym;
SEC("tc") int program(void *ctx)
{
	return jf_seventh(*(unsigned int *)ctx);
}

#elif defined(CASE_kfunc_result)
extern long jf_seventh(int x) __ksym;
SEC("tc") int program(void *ctx)
{
	return jf_seventh(*(int *)ctx);
}

#elif defined(CASE_kfunc_too_many)
extern int jf_seventh(int x, int y) __ksym;
SEC("tc") int program(void *ctx)
{
	return jf_seventh(*(int *)ctx, 1);
}

#elif defined(CASE_weak_kfunc_untested)
extern int kfunc_of_tomorrow(void) __ksym __weak;
SEC("tc") int program(void *ctx)
{
	return kfunc_of_tomorrow();
}

#elif defined(CASE_kernel_variable)
extern const int kernel_variable __ksym;
SEC("tc") int program(void *ctx)
{
	return kernel_variable;
}

#elif defined(CASE_kernel_config)
extern int LINUX_KERNEL_VERSION __kconfig;
SEC("tc") int program(void *ctx)
{
	return LINUX_KERNEL_VERSION;
}

#elif defined(CASE_core_relocation)
struct device {
	int a, b;
} __attribute__((preserve_access_index));
SEC("tc") int program(struct device *ctx)
{
	return ctx->b + __builtin_preserve_field_info(ctx->a, 2 /* exists */);
}

#elif defined(CASE_legacy_maps)
struct {
	int type, key_size, value_size, max_entries;
} map SEC("maps") = {1, 4, 4, 1};
SEC("tc") int program(void *ctx)
{
	return bpf_map_lookup_elem(&map, ctx) != 0;
}

#elif defined(CASE_static_map)
static struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} map SEC(".maps");
SEC("tc") int program(void *ctx)
{
	return bpf_map_lookup_elem(&map, ctx) != 0;
}

#elif defined(CASE_map_member)
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
	__uint(colour, 3);
} map SEC(".maps");
SEC("tc") int program(void *ctx)
{
	return bpf_map_lookup_elem(&map, ctx) != 0;
}

#elif defined(CASE_struct_ops)
struct ops {
	int (*f)(void);
};
SEC("struct_ops/f") int f(void *ctx)
{
	return 0;
}
SEC(".struct_ops") struct ops ops = {.f = (void *)f};

#elif defined(CASE_static_program)
SEC("tc") __attribute__((used)) static int program(void *ctx)
{
	return 0;
}

#elif defined(CASE_static_callback)
static __noinline __attribute__((used)) int callback(__u64 cookie)
{
	return cookie;
}
SEC("tc") EXCEPTION_CB(callback) int program(void *ctx)
{
	return 0;
}

#elif defined(CASE_missing_callback)
SEC("tc") EXCEPTION_CB(callback) int program(void *ctx)
{
	return 0;
}

#elif defined(CASE_two_callbacks)
__noinline int callback(__u64 cookie)
{
	return cookie;
}
__noinline int other(__u64 cookie)
{
	return cookie + 1;
}
SEC("tc") EXCEPTION_CB(callback) EXCEPTION_CB(other) int program(void *ctx)
{
	return 0;
}

#elif defined(CASE_odd_section)
int variable SEC("odd");
SEC("tc") int program(void *ctx)
{
	return variable;
}

#elif defined(CASE_no_program)
int variable = 3;

#else
#error "which one?"
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_KERNEL_JIT_KERNEL_BASE_H
#define JF_KERNEL_JIT_KERNEL_BASE_H

/* Types and macros that all of the kernel is written with. */

/* ---- integers ------------------------------------------------------------------------------------------- */

/* One X per width: the name, and the C type. */
#define INTEGER(bits, type)               \
	typedef unsigned type u##bits;    \
	typedef signed type s##bits;      \
	typedef unsigned type __u##bits;  \
	typedef signed type __s##bits;    \
	typedef unsigned type __le##bits; \
	typedef unsigned type __be##bits;
INTEGER(8, char)
INTEGER(16, short)
INTEGER(32, int)
INTEGER(64, long long)
#undef INTEGER
typedef u32 __wsum;
typedef u64 __aligned_u64 __attribute__((aligned(8)));
typedef unsigned int gfp_t;
typedef u64 phys_addr_t;

#define U8_MAX  0xffu
#define U16_MAX 0xffffu
#define U32_MAX 0xffffffffu
#define U64_MAX (~0ULL)
#define S8_MAX  127
#define S8_MIN  (-128)
#define S16_MAX 32767
#define S16_MIN (-32768)
#define S32_MAX 0x7fffffff
#define S32_MIN (-S32_MAX - 1)
#define S64_MAX 0x7fffffffffffffffLL
#define S64_MIN (-S64_MAX - 1)

/* ---- the compiler --------------------------------------------------------------------------------------- */

#undef __always_inline
#undef __attribute_const__
#define __force
#define __user
#define __iomem
#define __percpu
#define __rcu
#define __bitwise
#define __must_check
#define __kprobes
#define __init
#define __ro_after_init
#define __read_mostly
#define __counted_by(member)
#define notrace
#define asmlinkage
#define __bpf_kfunc
#define __naked
#define noinline            __attribute__((noinline))
#define __always_inline     inline __attribute__((always_inline))
#define __maybe_unused      __attribute__((unused))
#define __used              __attribute__((used))
#define __aligned(bytes)    __attribute__((aligned(bytes)))
#define __packed            __attribute__((packed))
#define __attribute_const__ __attribute__((const))
#define __cold              __attribute__((cold))
#define __weak              __attribute__((weak))
#define __section(name)
#define __printf(a, b)
#define fallthrough           __attribute__((fallthrough))
#define likely(x)             __builtin_expect(!!(x), 1)
#define unlikely(x)           __builtin_expect(!!(x), 0)
#define barrier()             __asm__ __volatile__("" ::: "memory")
#define smp_wmb()             barrier()
#define smp_rmb()             barrier()
#define smp_mb()              barrier()
#define OPTIMIZER_HIDE_VAR(v) __asm__("" : "+r"(v))
#define READ_ONCE(x)          (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)      (*(volatile __typeof__(x) *)&(x) = (v))
#define EXPORT_SYMBOL(symbol)
#define EXPORT_SYMBOL_GPL(symbol)
#define MODULE_LICENSE(text)

#define ARRAY_SIZE(array)              (sizeof(array) / sizeof((array)[0]))
#define sizeof_field(type, member)     sizeof(((type *)NULL)->member)
#define offsetofend(type, member)      (offsetof(type, member) + sizeof_field(type, member))
#define container_of(at, type, member) ((type *)((char *)(at)-offsetof(type, member)))
#define DECLARE_FLEX_ARRAY(type, name) \
	struct {                       \
		struct {               \
		} __no_##name;         \
		type name[];           \
	}
#define struct_size(at, member, count) (sizeof(*(at)) + sizeof(*(at)->member) * (count))

/* What the kernel holds when it is compiled is not asked again: its constants may be variables here. */
#define BUILD_BUG()                       ((void)0)
#define BUILD_BUG_ON(condition)           ((void)sizeof(condition))
#define BUILD_BUG_ON_MSG(condition, text) ((void)sizeof(condition))
#define BUILD_BUG_ON_ZERO(condition)      0
#define static_assert(...) _Static_assert(1, "")

/* IS_ENABLED(CONFIG_X): 1 where the option is defined as 1. */
#define KERNEL_SECOND(first, second, ...) second
#define KERNEL_COMMA_1                    0,
#define KERNEL_ENABLED_3(comma)           KERNEL_SECOND(comma 1, 0, 0)
#define KERNEL_ENABLED_2(value)           KERNEL_ENABLED_3(KERNEL_COMMA_##value)
#define IS_ENABLED(option)                KERNEL_ENABLED_2(option)
#define IS_BUILTIN(option)                KERNEL_ENABLED_2(option)

/* ---- arithmetic ----------------------------------------------------------------------------------------- */

#define BITS_PER_LONG          64
#define BITS_PER_BYTE          8
#define BIT(n)                 (1UL << (n))
#define BIT_ULL(n)             (1ULL << (n))
#define GENMASK(high, low)     (~0UL >> (63 - (high)) & ~0UL << (low))
#define GENMASK_ULL(high, low) (~0ULL >> (63 - (high)) & ~0ULL << (low))
#define _AC(number, suffix)    number##suffix
#define UL(number)             _AC(number, UL)
#define ULL(number)            _AC(number, ULL)
#define _BITUL(n)              (1UL << (n))
#define __stringify_1(...)     #__VA_ARGS__
#define __stringify(...)       __stringify_1(__VA_ARGS__)

#define PAGE_SIZE             4096UL
#define PAGE_MASK             (~(PAGE_SIZE - 1))
#define ALIGN_MASK(x, bytes)  ((__typeof__(x))((bytes)-1))
#define ALIGN_DOWN(x, bytes)  ((x) & ~ALIGN_MASK(x, bytes))
#define ALIGN(x, bytes)       (((x) + ALIGN_MASK(x, bytes)) & ~ALIGN_MASK(x, bytes))
#define IS_ALIGNED(x, bytes)  (((x)&ALIGN_MASK(x, bytes)) == 0)
#define PTR_ALIGN(at, bytes)  ((__typeof__(at))ALIGN((unsigned long)(at), (unsigned long)(bytes)))
#define round_up              ALIGN
#define round_down            ALIGN_DOWN
#define roundup(x, step)      (((x) + (step)-1) / (step) * (step))
#define DIV_ROUND_UP(x, step) (((x) + (step)-1) / (step))

#define KERNEL_PICK(a, op, b)           \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ op b_ ? a_ : b_;     \
	})
#define min(a, b)           KERNEL_PICK(a, <, b)
#define max(a, b)           KERNEL_PICK(a, >, b)
#define min_t(type, a, b)   KERNEL_PICK((type)(a), <, (type)(b))
#define max_t(type, a, b)   KERNEL_PICK((type)(a), >, (type)(b))
#define clamp(x, low, high) min(max(x, low), high)
#define swap(a, b)                         \
	do {                               \
		__typeof__(a) kept_ = (a); \
		(a) = (b);                 \
		(b) = kept_;               \
	} while (0)
#define upper_32_bits(x) ((u32)((u64)(x) >> 32))
#define lower_32_bits(x) ((u32)(x))

#define KERNEL_FIELD_SHIFT(mask) __builtin_ctzll(mask)
#define FIELD_PREP(mask, value)  ((__typeof__(mask))(value) << KERNEL_FIELD_SHIFT(mask) & (mask))
#define FIELD_GET(mask, word)    ((__typeof__(mask))(((word) & (mask)) >> KERNEL_FIELD_SHIFT(mask)))
#define FIELD_MAX(mask)          ((__typeof__(mask))((mask) >> KERNEL_FIELD_SHIFT(mask)))
#define FIELD_FIT(mask, value)   (((__typeof__(mask))(value) << KERNEL_FIELD_SHIFT(mask) & ~(mask)) == 0)

#define fls64(x)              ((x) ? 64 - __builtin_clzll(x) : 0)
#define fls(x)                ((x) ? 32 - __builtin_clz(x) : 0)
#define __fls(x)              (63 - __builtin_clzl(x))
#define __ffs(x)              ((unsigned long)__builtin_ctzl(x))
#define __ffs64(x)            ((unsigned long)__builtin_ctzll(x))
#define __fls64(x)            (63 - __builtin_clzll(x))
#define ffz(x)                __ffs(~(x))
#define ilog2(x)              (fls64(x) - 1)
#define hweight32(x)          ((unsigned int)__builtin_popcount(x))
#define hweight64(x)          ((unsigned int)__builtin_popcountll(x))
#define is_power_of_2(x)      ((x) && !((x) & ((x)-1)))
#define __set_bit(bit, words) ((words)[0] |= 1UL << (bit))
#define set_bit               __set_bit
#define test_bit(bit, words)  (((words)[0] >> (bit)&1) != 0)

static inline u64 ror64(u64 word, unsigned int count)
{
	return word >> (count & 63) | word << (-count & 63);
}

static inline s64 sign_extend64(u64 value, int sign_bit)
{
	return (s64)(value << (63 - sign_bit)) >> (63 - sign_bit);
}

static inline s32 sign_extend32(u32 value, int sign_bit)
{
	return (s32)(value << (31 - sign_bit)) >> (31 - sign_bit);
}

/* Of the byte order of this machine and of the targets; a target of the other order has its own. */
#ifndef KERNEL_BIG_ENDIAN
#define cpu_to_le16(x) ((__le16)(x))
#define cpu_to_le32(x) ((__le32)(x))
#define cpu_to_le64(x) ((__le64)(x))
#define le16_to_cpu(x) ((u16)(x))
#define le32_to_cpu(x) ((u32)(x))
#define le64_to_cpu(x) ((u64)(x))
#endif

/* ---- messages and errors -------------------------------------------------------------------------------- */

#define KERNEL_MESSAGE(...) fprintf(stderr, "kernel: " __VA_ARGS__)
#define pr_err              KERNEL_MESSAGE
#define pr_warn             KERNEL_MESSAGE
#define pr_info             KERNEL_MESSAGE
#define pr_notice           KERNEL_MESSAGE
#define pr_err_once         KERNEL_MESSAGE
#define pr_warn_once        KERNEL_MESSAGE
#define pr_info_once        KERNEL_MESSAGE
#define pr_err_ratelimited  KERNEL_MESSAGE
#define pr_warn_ratelimited KERNEL_MESSAGE
#define pr_debug(...)       ((void)0)
#define KERNEL_WARN(condition)                                                               \
	({                                                                                   \
		bool warns_ = (condition);                                                   \
		if (warns_)                                                                  \
			KERNEL_MESSAGE("%s:%d: WARN: %s\n", __FILE__, __LINE__, #condition); \
		warns_;                                                                      \
	})
#define WARN(condition, ...)      KERNEL_WARN(condition)
#define WARN_ONCE(condition, ...) KERNEL_WARN(condition)
#define WARN_ON(condition)        KERNEL_WARN(condition)
#define WARN_ON_ONCE(condition)   KERNEL_WARN(condition)
#define BUG()                     abort()
#define BUG_ON(condition)                   \
	do {                                \
		if (KERNEL_WARN(condition)) \
			abort();            \
	} while (0)
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif
#define MAX_ERRNO          4095
#define ERR_PTR(number)    ((void *)(long)(number))
#define PTR_ERR(at)        ((long)(at))
#define IS_ERR(at)         ((unsigned long)(at) >= (unsigned long)-MAX_ERRNO)
#define IS_ERR_OR_NULL(at) (!(at) || IS_ERR(at))

/* ---- memory --------------------------------------------------------------------------------------------- */

#define GFP_KERNEL                         0
#define GFP_USER                           0
#define kmalloc(size, flags)               malloc(size)
#define kvmalloc(size, flags)              malloc(size)
#define kzalloc(size, flags)               calloc(1, size)
#define kvzalloc(size, flags)              calloc(1, size)
#define kcalloc(count, size, flags)        calloc(count, size)
#define kvcalloc(count, size, flags)       calloc(count, size)
#define kmalloc_array(count, size, flags)  calloc(count, size)
#define kvmalloc_array(count, size, flags) calloc(count, size)
/* Since 7.0: by type. */
#define kmalloc_obj(type, ...)         ((__typeof__(type) *)calloc(1, sizeof(type)))
#define kzalloc_obj                    kmalloc_obj
#define kmalloc_objs(type, count, ...) ((__typeof__(type) *)calloc(count, sizeof(type)))
#define kzalloc_objs                   kmalloc_objs
#define kvmalloc_objs                  kmalloc_objs
#define kvzalloc_objs                  kmalloc_objs
#define kvmalloc_obj                   kmalloc_obj
#define kvzalloc_obj                   kmalloc_obj
#define kfree(at)                      free((void *)(at))
#define kvfree(at)                     free((void *)(at))
/* Per-CPU memory is not made: the program's caller gives the address of a private stack. */
#define __alloc_percpu_gfp(...)        NULL
#define free_percpu(at)                ((void)(at))
#define for_each_possible_cpu(cpu)     for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define per_cpu_ptr(at, cpu)           ((void)(cpu), (at))
#define might_sleep()                  ((void)0)
#define cond_resched()                 ((void)0)
#define synchronize_rcu()              ((void)0)
#define cpus_read_lock()               ((void)0)
#define cpus_read_unlock()             ((void)0)
#define flush_icache_range(start, end) ((void)(start), (void)(end))
#define set_memory_rw(start, pages)    0
#define set_memory_ro(start, pages)    0
#define set_memory_rox(start, pages)   0

#endif

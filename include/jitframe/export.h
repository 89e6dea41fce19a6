/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_EXPORT_H
#define JF_EXPORT_H

/* JF_API: part of the public interface. JF_CHECK: the caller must look at the result. JF_PRINTF: argument `fmt` is a
 * printf(3) format for the arguments from `first` on. JF_EXTENSION: before a struct that ends in a flexible array,
 * which ISO C++ lacks and C++ compilers have. */
#if defined(__GNUC__) || defined(__clang__)
#define JF_API                __attribute__((visibility("default")))
#define JF_CHECK              __attribute__((warn_unused_result))
#define JF_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define JF_EXTENSION          __extension__
#else
#define JF_API
#define JF_CHECK
#define JF_PRINTF(fmt, first)
#define JF_EXTENSION
#endif

#ifdef __cplusplus
#define JF_BEGIN_DECLS extern "C" {
#define JF_END_DECLS   }
#else
#define JF_BEGIN_DECLS
#define JF_END_DECLS
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_EXPORT_H
#define JF_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
/* Part of the public interface. */
#define JF_API __attribute__((visibility("default")))
/* The caller must look at the result. */
#define JF_CHECK __attribute__((warn_unused_result))
/* Argument `fmt` is a printf(3) format for the arguments from `first` on. */
#define JF_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
/* Before a struct that ends in a flexible array, which ISO C++ lacks and C++ compilers have. */
#define JF_EXTENSION __extension__
#else
#define JF_API
#define JF_CHECK
#define JF_PRINTF(fmt, first)
#define JF_EXTENSION
#endif

#ifdef __cplusplus
/* Around the declarations of a header: the names are C's. */
#define JF_BEGIN_DECLS extern "C" {
#define JF_END_DECLS   }
#else
#define JF_BEGIN_DECLS
#define JF_END_DECLS
#endif

#endif

/*
 * A stand-in for CoreML.framework on GNUstep, so that everything that talks to Core ML runs on Linux. One library serves
 * as libobjc, Foundation, CoreML and libSystem. Selectors, types and ownership are those of Apple's headers; programs are
 * run by an interpreter in a process of its own. What a test can set and see is at the end of this file.
 */

#import <Foundation/Foundation.h>
#include <stdbool.h>
#include <stdint.h>

/* What Apple's compiler makes of a block; GCC has none. */
typedef struct Block {
  void *isa;
  int flags;
  int reserved;
  void (*invoke)(struct Block *self, id result, NSError *error);
  const void *descriptor;
} Block;

/* The codes of MLMultiArrayDataType. */
enum { MLMultiArrayDataTypeFloat16 = 65552, MLMultiArrayDataTypeFloat32 = 65568, MLMultiArrayDataTypeInt32 = 131104 };

/* The base of all classes here: selectors can be hidden, as on an older system. */
@interface FakeObject : NSObject
@end

@interface MLMultiArray : FakeObject {
  NSInteger dataType;
  NSArray *shape;
  NSArray *strides; /* in elements */
  char *bytes;
  BOOL owned;
}
- (id)initWithDataPointer:(void *)pointer
                    shape:(NSArray *)shape
                 dataType:(NSInteger)dataType
                  strides:(NSArray *)strides
              deallocator:(Block *)deallocator
                    error:(NSError **)error;
/* Rows are padded, as Core ML's own arrays may be. */
- (id)initPaddedWithShape:(NSArray *)shape dataType:(NSInteger)dataType;
- (void *)dataPointer;
- (NSInteger)dataType;
- (NSArray *)shape;
- (NSArray *)strides;
- (NSUInteger)byteLength; /* of the elements, without padding */
- (void)packInto:(char *)target;
- (void)unpackFrom:(const char *)source;
@end

@interface MLFeatureValue : FakeObject {
  MLMultiArray *array;
}
+ (MLFeatureValue *)featureValueWithMultiArray:(MLMultiArray *)array;
- (MLMultiArray *)multiArrayValue;
@end

@protocol MLFeatureProvider
- (NSSet *)featureNames;
- (MLFeatureValue *)featureValueForName:(NSString *)name;
@end

@interface MLDictionaryFeatureProvider : FakeObject <MLFeatureProvider> {
  NSDictionary *values;
}
- (id)initWithDictionary:(NSDictionary *)dictionary error:(NSError **)error;
@end

@interface MLPredictionOptions : FakeObject {
  NSDictionary *outputBackings;
}
- (NSDictionary *)outputBackings;
- (void)setOutputBackings:(NSDictionary *)backings;
@end

@interface MLOptimizationHints : FakeObject {
  NSInteger reshapeFrequency;
  NSInteger specializationStrategy;
}
- (void)setReshapeFrequency:(NSInteger)frequency;
- (void)setSpecializationStrategy:(NSInteger)strategy;
@end

@interface MLModelConfiguration : FakeObject {
  NSInteger computeUnits;
  BOOL allowLowPrecisionAccumulationOnGPU;
  MLOptimizationHints *optimizationHints;
}
- (NSInteger)computeUnits;
- (void)setComputeUnits:(NSInteger)units;
- (void)setAllowLowPrecisionAccumulationOnGPU:(BOOL)allow;
- (void)setOptimizationHints:(MLOptimizationHints *)hints;
@end

@interface MLModel : FakeObject {
  NSNumber *handle;  /* in the interpreter */
  NSArray *inputs;   /* dictionaries: name, dataType, shape */
  NSArray *outputs;
}
+ (void)compileModelAtURL:(NSURL *)url completionHandler:(Block *)handler;
+ (void)loadContentsOfURL:(NSURL *)url
            configuration:(MLModelConfiguration *)configuration
        completionHandler:(Block *)handler;
- (void)predictionFromFeatures:(id <MLFeatureProvider>)features
                       options:(MLPredictionOptions *)options
             completionHandler:(Block *)handler;
@end

/* Sends a request to the interpreter and returns its reply: nil and an error if it fails. The payloads are bytes. */
NSDictionary *fake_ask(NSDictionary *request, NSData *payload, NSData **answer, NSError **error);

/* An error as Core ML gives it. */
NSError *fake_error(NSInteger code, NSString *text, NSError *underlying);

/* Whether this call is the one that a test wants to fail. */
BOOL fake_should_fail(const char *name);

/* Runs a method of `target` on another thread after the delay that a test has set. */
void fake_detach(id target, SEL selector, id argument);

/* Whether tests want output backings to be ignored. */
BOOL fake_ignores_backings(void);

/* The controls of a test. */

/* Fails the n-th call from now on that can fail: a message that returns an object, a completion, an allocation. */
void fake_coreml_fail(uint32_t n);
/* The name of the call that was failed, or null. */
const char *fake_coreml_fired(void);
/* Makes completions come later. */
void fake_coreml_delay(uint32_t milliseconds);
/* Makes predictions ignore output backings. */
void fake_coreml_ignore_backings(bool ignore);
/* Hides a selector of all classes here, as an older system would; "" hides none. */
void fake_coreml_hide(const char *selector);
/* The live objects of a class, or of all classes of Core ML for "". */
uint64_t fake_coreml_live(const char *name);
/* The live objects of all classes, one "count<tab>class" per line, valid until the next call. */
const char *fake_coreml_objects(void);

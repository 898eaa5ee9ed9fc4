/* Arrays, features and options. */

#import "fake.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_RANK = 5, PADDING = 16 };

static NSUInteger element_size(NSInteger dataType) {
  switch (dataType) {
    case MLMultiArrayDataTypeFloat16: return 2;
    case MLMultiArrayDataTypeFloat32:
    case MLMultiArrayDataTypeInt32: return 4;
    default: return 0;
  }
}

static NSUInteger at(NSArray *numbers, NSUInteger i) {
  return [[numbers objectAtIndex:i] unsignedIntegerValue];
}

/* Row-major strides in elements; rows are padded to a multiple of PADDING elements. */
static NSArray *padded_strides(NSArray *shape) {
  NSMutableArray *strides = [NSMutableArray array];
  NSUInteger stride = 1;
  for (NSUInteger i = [shape count]; i-- > 0;) {
    [strides insertObject:[NSNumber numberWithUnsignedInteger:stride] atIndex:0];
    stride *= at(shape, i);
    if (i + 1 == [shape count]) stride = (stride + PADDING) / PADDING * PADDING;
  }
  return strides;
}

@implementation MLMultiArray

- (id)initWithDataPointer:(void *)pointer
                    shape:(NSArray *)aShape
                 dataType:(NSInteger)aType
                  strides:(NSArray *)someStrides
              deallocator:(Block *)deallocator
                    error:(NSError **)error {
  (void)deallocator; /* The one that tests this owns its memory, and passes nil. */
  BOOL isWhole = pointer != NULL && element_size(aType) > 0 && [aShape count] > 0 &&
                 [aShape count] <= MAX_RANK && [aShape count] == [someStrides count];
  if ((self = [super init]) == nil) return nil;
  if (!isWhole) {
    if (error != NULL) *error = fake_error(1, @"Invalid data pointer, shape, strides or data type", nil);
    [self release];
    return nil;
  }
  bytes = pointer;
  shape = [aShape copy];
  strides = [someStrides copy];
  dataType = aType;
  return self;
}

- (id)initPaddedWithShape:(NSArray *)aShape dataType:(NSInteger)aType {
  NSArray *padded = padded_strides(aShape);
  NSUInteger size = at(aShape, 0) * at(padded, 0) * element_size(aType);
  void *pointer = malloc(size + PADDING);
  memset(pointer, 0xAB, size); /* What lies between the rows is not zero. */
  self = [self initWithDataPointer:pointer shape:aShape dataType:aType strides:padded deallocator:NULL error:NULL];
  if (self == nil) free(pointer);
  else owned = YES;
  return self;
}

- (void)dealloc {
  if (owned) free(bytes);
  [shape release];
  [strides release];
  [super dealloc];
}

- (void *)dataPointer { return bytes; }
- (NSInteger)dataType { return dataType; }
- (NSArray *)shape { return shape; }
- (NSArray *)strides { return strides; }

- (NSUInteger)byteLength {
  NSUInteger length = element_size(dataType);
  for (NSUInteger i = 0; i < [shape count]; i++) length *= at(shape, i);
  return length;
}

/* Copies between the strided elements from `offset` on and dense ones, which it returns the end of. */
- (char *)copy:(char *)dense packs:(BOOL)packs axis:(NSUInteger)axis offset:(NSUInteger)offset {
  NSUInteger size = element_size(dataType);
  if (axis == [shape count]) {
    if (packs) memcpy(dense, bytes + offset * size, size);
    else memcpy(bytes + offset * size, dense, size);
    return dense + size;
  }
  NSUInteger stride = at(strides, axis);
  NSUInteger count = at(shape, axis);
  for (NSUInteger i = 0; i < count; i++) {
    dense = [self copy:dense packs:packs axis:axis + 1 offset:offset + i * stride];
  }
  return dense;
}

- (BOOL)isDense {
  NSUInteger stride = 1;
  for (NSUInteger i = [shape count]; i-- > 0; stride *= at(shape, i)) {
    if (at(shape, i) != 1 && at(strides, i) != stride) return NO;
  }
  return YES;
}

- (void)packInto:(char *)target {
  if ([self isDense]) memcpy(target, bytes, [self byteLength]);
  else [self copy:target packs:YES axis:0 offset:0];
}

- (void)unpackFrom:(const char *)source {
  if ([self isDense]) memcpy(bytes, source, [self byteLength]);
  else [self copy:(char *)source packs:NO axis:0 offset:0];
}

@end

@implementation MLFeatureValue

+ (MLFeatureValue *)featureValueWithMultiArray:(MLMultiArray *)anArray {
  MLFeatureValue *value = [[[self alloc] init] autorelease];
  value->array = [anArray retain];
  return value;
}

- (void)dealloc {
  [array release];
  [super dealloc];
}

- (MLMultiArray *)multiArrayValue { return array; }

@end

@implementation MLDictionaryFeatureProvider

- (id)initWithDictionary:(NSDictionary *)dictionary error:(NSError **)error {
  (void)error; /* Only values of other classes would be an error. */
  if ((self = [super init]) != nil) values = [dictionary copy];
  return self;
}

- (void)dealloc {
  [values release];
  [super dealloc];
}

- (NSSet *)featureNames { return [NSSet setWithArray:[values allKeys]]; }
- (MLFeatureValue *)featureValueForName:(NSString *)name { return [values objectForKey:name]; }

@end

@implementation MLPredictionOptions

- (void)dealloc {
  [outputBackings release];
  [super dealloc];
}

- (NSDictionary *)outputBackings { return outputBackings; }

- (void)setOutputBackings:(NSDictionary *)backings {
  [outputBackings autorelease];
  outputBackings = [backings copy];
}

@end

@implementation MLOptimizationHints

- (void)setReshapeFrequency:(NSInteger)frequency { reshapeFrequency = frequency; }
- (void)setSpecializationStrategy:(NSInteger)strategy { specializationStrategy = strategy; }

@end

@implementation MLModelConfiguration

- (id)init {
  if ((self = [super init]) != nil) computeUnits = 2; /* MLComputeUnitsAll */
  return self;
}

- (void)dealloc {
  [optimizationHints release];
  [super dealloc];
}

- (NSInteger)computeUnits { return computeUnits; }
- (void)setComputeUnits:(NSInteger)units { computeUnits = units; }
- (void)setAllowLowPrecisionAccumulationOnGPU:(BOOL)allow { allowLowPrecisionAccumulationOnGPU = allow; }

- (void)setOptimizationHints:(MLOptimizationHints *)hints {
  [optimizationHints autorelease];
  optimizationHints = [hints retain];
}

@end

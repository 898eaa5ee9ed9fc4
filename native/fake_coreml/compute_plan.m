/* The devices of the machine, and where a program's operations would run: products on the Neural Engine, the rest not. */

#import "fake.h"

@interface MLCPUComputeDevice : FakeObject
@end
@implementation MLCPUComputeDevice
@end

@interface MLGPUComputeDevice : FakeObject
@end
@implementation MLGPUComputeDevice
@end

@interface MLNeuralEngineComputeDevice : FakeObject
@end
@implementation MLNeuralEngineComputeDevice
@end

NSArray *MLAllComputeDevices(void) {
  return [NSArray arrayWithObjects:[[MLCPUComputeDevice new] autorelease], [[MLGPUComputeDevice new] autorelease],
                                   [[MLNeuralEngineComputeDevice new] autorelease], nil];
}

@interface MLModelStructureProgramOperation : FakeObject {
  NSString *operatorName;
}
- (NSString *)operatorName;
@end

@implementation MLModelStructureProgramOperation
- (id)initWithName:(NSString *)name {
  if ((self = [super init]) != nil) operatorName = [name retain];
  return self;
}

- (void)dealloc {
  [operatorName release];
  [super dealloc];
}

- (NSString *)operatorName { return operatorName; }
@end

@interface MLModelStructureProgramBlock : FakeObject {
  NSArray *operations;
}
- (NSArray *)operations;
@end

@implementation MLModelStructureProgramBlock
- (id)initWithNames:(NSArray *)names {
  NSMutableArray *list = [NSMutableArray array];
  for (NSString *name in names) {
    [list addObject:[[[MLModelStructureProgramOperation alloc] initWithName:name] autorelease]];
  }
  if ((self = [super init]) != nil) operations = [list copy];
  return self;
}

- (void)dealloc {
  [operations release];
  [super dealloc];
}

- (NSArray *)operations { return operations; }
@end

@interface MLModelStructureProgramFunction : FakeObject {
  MLModelStructureProgramBlock *block;
}
- (MLModelStructureProgramBlock *)block;
@end

@implementation MLModelStructureProgramFunction
- (id)initWithBlock:(MLModelStructureProgramBlock *)aBlock {
  if ((self = [super init]) != nil) block = [aBlock retain];
  return self;
}

- (void)dealloc {
  [block release];
  [super dealloc];
}

- (MLModelStructureProgramBlock *)block { return block; }
@end

@interface MLModelStructureProgram : FakeObject {
  NSDictionary *functions;
}
- (NSDictionary *)functions;
@end

@implementation MLModelStructureProgram
- (id)initWithFunction:(MLModelStructureProgramFunction *)function {
  if ((self = [super init]) != nil) functions = [[NSDictionary dictionaryWithObject:function forKey:@"main"] retain];
  return self;
}

- (void)dealloc {
  [functions release];
  [super dealloc];
}

- (NSDictionary *)functions { return functions; }
@end

@interface MLModelStructure : FakeObject {
  MLModelStructureProgram *program;
}
- (MLModelStructureProgram *)program;
@end

@implementation MLModelStructure
- (id)initWithProgram:(MLModelStructureProgram *)aProgram {
  if ((self = [super init]) != nil) program = [aProgram retain];
  return self;
}

- (void)dealloc {
  [program release];
  [super dealloc];
}

- (MLModelStructureProgram *)program { return program; }
@end

@interface MLComputePlanCost : FakeObject
@end

@implementation MLComputePlanCost
- (double)weight { return 0.25; }
@end

@interface MLComputePlanDeviceUsage : FakeObject {
  id preferredComputeDevice;
}
- (id)preferredComputeDevice;
@end

@implementation MLComputePlanDeviceUsage
- (id)initWithDevice:(id)device {
  if ((self = [super init]) != nil) preferredComputeDevice = [device retain];
  return self;
}

- (void)dealloc {
  [preferredComputeDevice release];
  [super dealloc];
}

- (id)preferredComputeDevice { return preferredComputeDevice; }
@end

@interface MLComputePlan : FakeObject {
  NSInteger computeUnits;
  MLModelStructure *modelStructure;
}
@end

@implementation MLComputePlan

- (id)initWithOperations:(NSArray *)names units:(NSInteger)units {
  if ((self = [super init]) != nil) {
    id block = [[[MLModelStructureProgramBlock alloc] initWithNames:names] autorelease];
    id function = [[[MLModelStructureProgramFunction alloc] initWithBlock:block] autorelease];
    id program = [[[MLModelStructureProgram alloc] initWithFunction:function] autorelease];
    modelStructure = [[MLModelStructure alloc] initWithProgram:program];
    computeUnits = units;
  }
  return self;
}

+ (void)loadContentsOfURL:(NSURL *)url
            configuration:(MLModelConfiguration *)configuration
        completionHandler:(Block *)handler {
  NSDictionary *job = [NSDictionary dictionaryWithObjectsAndKeys:url, @"url", configuration, @"configuration",
                                                                 [NSValue valueWithPointer:handler], @"handler", nil];
  fake_detach(self, @selector(load:), job);
}

+ (void)load:(NSDictionary *)job {
  Block *handler = [[job objectForKey:@"handler"] pointerValue];
  NSDictionary *wish = [NSDictionary dictionaryWithObjectsAndKeys:@"operations", @"operation",
                                                                  [[job objectForKey:@"url"] path], @"path", nil];
  NSError *error = nil;
  NSDictionary *reply = fake_ask(wish, nil, NULL, &error);
  if (reply != nil && fake_should_fail("MLComputePlan loadContentsOfURL:configuration:completionHandler:")) {
    error = fake_error(9, @"injected failure of the compute plan", nil);
    reply = nil;
  }
  NSInteger units = [[job objectForKey:@"configuration"] computeUnits];
  NSArray *names = [reply objectForKey:@"operations"];
  id plan = reply == nil ? nil : [[[self alloc] initWithOperations:names units:units] autorelease];
  handler->invoke(handler, plan, plan == nil ? error : nil);
}

- (void)dealloc {
  [modelStructure release];
  [super dealloc];
}

- (MLModelStructure *)modelStructure { return modelStructure; }

/* None for constants, which do not run. */
- (MLComputePlanDeviceUsage *)computeDeviceUsageForMLProgramOperation:(MLModelStructureProgramOperation *)operation {
  NSString *name = [operation operatorName];
  if ([name isEqual:@"const"]) return nil;
  BOOL isProduct = [name isEqual:@"conv"] || [name isEqual:@"matmul"];
  BOOL hasEngine = computeUnits >= 2;
  BOOL hasGpu = computeUnits == 1 || computeUnits == 2;
  Class class = isProduct && hasEngine ? [MLNeuralEngineComputeDevice class]
                : hasGpu               ? [MLGPUComputeDevice class]
                                       : [MLCPUComputeDevice class];
  return [[[MLComputePlanDeviceUsage alloc] initWithDevice:[[class new] autorelease]] autorelease];
}

- (MLComputePlanCost *)estimatedCostOfMLProgramOperation:(MLModelStructureProgramOperation *)operation {
  return [[operation operatorName] isEqual:@"const"] ? nil : [[MLComputePlanCost new] autorelease];
}

@end

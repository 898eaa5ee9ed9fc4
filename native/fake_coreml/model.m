/* Models: compiling, loading, predicting. */

#import "fake.h"

/* What a method on another thread needs. */
static NSDictionary *job(Block *handler, id first, id second) {
  return [NSDictionary dictionaryWithObjectsAndKeys:[NSValue valueWithPointer:handler], @"handler", first, @"first",
                                                    second, @"second", nil];
}

/* Tells the handler. As Apple's do, it gets a result or an error. */
static void complete(NSDictionary *job, const char *name, id result, NSError *error) {
  Block *handler = [[job objectForKey:@"handler"] pointerValue];
  if (fake_should_fail(name)) {
    result = nil;
    error = fake_error(9, [NSString stringWithFormat:@"injected failure of %s", name], nil);
  }
  handler->invoke(handler, result, result == nil ? error : nil);
}

static NSDictionary *request(NSString *operation, NSString *path) {
  return [NSDictionary dictionaryWithObjectsAndKeys:operation, @"operation", path, @"path", nil];
}

@implementation MLModel

- (id)initWithReply:(NSDictionary *)reply {
  if ((self = [super init]) != nil) {
    handle = [[reply objectForKey:@"handle"] retain];
    inputs = [[reply objectForKey:@"inputs"] retain];
    outputs = [[reply objectForKey:@"outputs"] retain];
  }
  return self;
}

- (void)dealloc {
  NSAutoreleasePool *pool = [NSAutoreleasePool new];
  NSError *error = nil;
  fake_ask([NSDictionary dictionaryWithObjectsAndKeys:@"unload", @"operation", handle, @"handle", nil], nil, NULL,
           &error);
  [pool release];
  [handle release];
  [inputs release];
  [outputs release];
  [super dealloc];
}

+ (void)compileModelAtURL:(NSURL *)url completionHandler:(Block *)handler {
  fake_detach(self, @selector(compile:), job(handler, url, nil));
}

+ (void)compile:(NSDictionary *)job {
  NSString *package = [[job objectForKey:@"first"] path];
  NSString *name = [[[package lastPathComponent] stringByDeletingPathExtension]
      stringByAppendingPathExtension:@"mlmodelc"];
  NSString *target = [NSTemporaryDirectory() stringByAppendingPathComponent:name];
  NSMutableDictionary *wish = [NSMutableDictionary dictionaryWithDictionary:request(@"compile", package)];
  NSError *error = nil;
  [wish setObject:target forKey:@"target"];
  NSDictionary *reply = fake_ask(wish, nil, NULL, &error);
  complete(job, "compileModelAtURL:completionHandler:", reply == nil ? nil : [NSURL fileURLWithPath:target], error);
}

+ (void)loadContentsOfURL:(NSURL *)url
            configuration:(MLModelConfiguration *)configuration
        completionHandler:(Block *)handler {
  fake_detach(self, @selector(load:), job(handler, url, configuration));
}

+ (void)load:(NSDictionary *)job {
  NSError *error = nil;
  NSDictionary *reply = fake_ask(request(@"load", [[job objectForKey:@"first"] path]), nil, NULL, &error);
  MLModel *model = reply == nil ? nil : [[[self alloc] initWithReply:reply] autorelease];
  complete(job, "loadContentsOfURL:configuration:completionHandler:", model, error);
}

static BOOL fits(MLMultiArray *array, NSDictionary *feature) {
  return [array dataType] == [[feature objectForKey:@"dataType"] integerValue] &&
         [[array shape] isEqual:[feature objectForKey:@"shape"]];
}

static NSError *misfit(NSDictionary *feature) {
  return fake_error(1, [NSString stringWithFormat:@"Feature %@ is missing, or has another shape or data type",
                                                  [feature objectForKey:@"name"]], nil);
}

/* The elements of all inputs, one after the other. */
- (NSData *)pack:(id <MLFeatureProvider>)features error:(NSError **)error {
  NSMutableData *data = [NSMutableData data];
  for (NSDictionary *feature in inputs) {
    MLMultiArray *array = [[features featureValueForName:[feature objectForKey:@"name"]] multiArrayValue];
    if (array == nil || !fits(array, feature)) {
      *error = misfit(feature);
      return nil;
    }
    NSUInteger offset = [data length];
    [data increaseLengthBy:[array byteLength]];
    [array packInto:(char *)[data mutableBytes] + offset];
  }
  return data;
}

- (id <MLFeatureProvider>)unpack:(NSData *)data into:(NSDictionary *)backings error:(NSError **)error {
  NSMutableDictionary *values = [NSMutableDictionary dictionary];
  const char *next = [data bytes];
  for (NSDictionary *feature in outputs) {
    NSString *name = [feature objectForKey:@"name"];
    MLMultiArray *array = fake_ignores_backings() ? nil : [backings objectForKey:name];
    if (array != nil && !fits(array, feature)) {
      *error = misfit(feature);
      return nil;
    }
    if (array == nil) {
      array = [[[MLMultiArray alloc] initPaddedWithShape:[feature objectForKey:@"shape"]
                                                dataType:[[feature objectForKey:@"dataType"] integerValue]]
          autorelease];
    }
    [array unpackFrom:next];
    next += [array byteLength];
    [values setObject:[MLFeatureValue featureValueWithMultiArray:array] forKey:name];
  }
  return [[[MLDictionaryFeatureProvider alloc] initWithDictionary:values error:NULL] autorelease];
}

- (void)predictionFromFeatures:(id <MLFeatureProvider>)features
                       options:(MLPredictionOptions *)options
             completionHandler:(Block *)handler {
  fake_detach(self, @selector(predict:), job(handler, features, options));
}

- (void)predict:(NSDictionary *)job {
  NSError *error = nil;
  NSData *results = nil;
  NSData *arguments = [self pack:[job objectForKey:@"first"] error:&error];
  NSDictionary *wish = [NSDictionary dictionaryWithObjectsAndKeys:@"predict", @"operation", handle, @"handle", nil];
  NSDictionary *reply = arguments == nil ? nil : fake_ask(wish, arguments, &results, &error);
  NSDictionary *backings = [[job objectForKey:@"second"] outputBackings];
  id result = reply == nil ? nil : [self unpack:results into:backings error:&error];
  complete(job, "predictionFromFeatures:options:completionHandler:", result, error);
}

@end

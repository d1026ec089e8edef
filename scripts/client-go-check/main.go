// Exercises a cluster through client-go's typed clients in protobuf: create, get, update, patch, list in pages, watch, informer, delete,
// scale, metadata-only lists. Exits 1 and says what went wrong. Needs Go and, once, its module proxy:
//
//	coracle up --no-node --detach && cd scripts/client-go-check && go run . ~/.kube/config
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func insist(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
		os.Exit(1)
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err, "kubeconfig")
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	check(err, "client")
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	namespace := "go-client"
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	check(err, "create namespace")

	maps := client.CoreV1().ConfigMaps(namespace)
	watch, err := maps.Watch(ctx, metav1.ListOptions{AllowWatchBookmarks: true})
	check(err, "watch")
	informer := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	added := make(chan string, 100)
	_, err = informer.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { added <- object.(*corev1.ConfigMap).Name },
	})
	check(err, "handler")
	informer.Start(ctx.Done())
	informer.WaitForCacheSync(ctx.Done())

	for i := 0; i < 12; i++ {
		made, err := maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m-%02d", i), Labels: map[string]string{"n": fmt.Sprint(i % 2)}},
			Data:       map[string]string{"text": "ä ☃"},
			BinaryData: map[string][]byte{"bytes": {0, 255, 10}},
		}, metav1.CreateOptions{})
		check(err, "create")
		insist(made.UID != "" && made.Data["text"] == "ä ☃" && len(made.BinaryData["bytes"]) == 3, "created %v", made)
		insist(!made.CreationTimestamp.IsZero() && len(made.ManagedFields) == 1, "metadata %v", made.ObjectMeta)
	}
	for i := 0; i < 12; i++ {
		event := <-watch.ResultChan()
		for event.Type == "BOOKMARK" || event.Object.(*corev1.ConfigMap).Name == "kube-root-ca.crt" {
			event = <-watch.ResultChan()
		}
		insist(event.Type == "ADDED" && event.Object.(*corev1.ConfigMap).Name == fmt.Sprintf("m-%02d", i), "event %v", event)
	}
	watch.Stop()
	for seen := 0; seen < 12; {
		if name := <-added; name != "kube-root-ca.crt" {
			seen++
		}
	}
	seen, token := 0, ""
	for {
		page, err := maps.List(ctx, metav1.ListOptions{Limit: 5, Continue: token, LabelSelector: "n=0"})
		check(err, "list")
		seen += len(page.Items)
		if token = page.Continue; token == "" {
			break
		}
	}
	insist(seen == 6, "listed %d", seen)
	one, err := maps.Get(ctx, "m-00", metav1.GetOptions{})
	check(err, "get")
	one.Data["more"] = "x"
	updated, err := maps.Update(ctx, one, metav1.UpdateOptions{})
	check(err, "update")
	insist(updated.ResourceVersion != one.ResourceVersion, "no new version")
	_, err = maps.Update(ctx, one, metav1.UpdateOptions{})
	insist(apierrors.IsConflict(err), "stale update: %v", err)
	_, err = maps.Patch(ctx, "m-00", types.StrategicMergePatchType, []byte(`{"data":{"more":null}}`), metav1.PatchOptions{})
	check(err, "patch")
	_, err = maps.Get(ctx, "nope", metav1.GetOptions{})
	insist(apierrors.IsNotFound(err), "get of nothing: %v", err)

	replicas := int32(2)
	labels := map[string]string{"app": "web"}
	deployments := client.AppsV1().Deployments(namespace)
	_, err = deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "c", Image: "example.com/web:1",
					Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
					Resources:      corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("250m")}},
					ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("http")}}},
				}}},
			},
		},
	}, metav1.CreateOptions{})
	check(err, "create deployment")
	deployment, err := deployments.Get(ctx, "web", metav1.GetOptions{})
	check(err, "get deployment")
	insist(*deployment.Spec.Replicas == 2 && deployment.Spec.Strategy.RollingUpdate.MaxSurge.String() == "25%", "defaults %v", deployment.Spec)
	container := deployment.Spec.Template.Spec.Containers[0]
	insist(container.Resources.Requests.Cpu().MilliValue() == 250 && container.ReadinessProbe.HTTPGet.Port.StrVal == "http", "container %v", container)
	// The deployment's controller writes its status at the same time.
	check(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		scale, err := deployments.GetScale(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = 0
		_, err = deployments.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{})
		return err
	}), "update scale")

	partial, err := metadata.NewForConfig(metadata.ConfigFor(config))
	check(err, "metadata client")
	names, err := partial.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(namespace).List(ctx, metav1.ListOptions{})
	check(err, "metadata list")
	insist(len(names.Items) >= 12 && names.Items[0].Name != "", "metadata of %d", len(names.Items))

	check(maps.Delete(ctx, "m-01", metav1.DeleteOptions{}), "delete")
	check(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "n=0"}), "delete collection")
	left, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "n"})
	check(err, "list")
	insist(len(left.Items) == 5, "left %d", len(left.Items))
	check(client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}), "delete namespace")
	fmt.Println("client-go is content")
}
